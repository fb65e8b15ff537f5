#include "engine/model/state_header.h"
#include "engine/error.h"
#include "engine/gguf/cursor.h"

static const uint8_t magic[8] = "LECTERNS";

/* Goes over all fields, which `visit` writes or reads. */
struct visitor {
  uint8_t *to;           /* writing */
  struct cursor *cursor; /* reading, if not NULL */
  bool whole;
};

static void visit (struct visitor *visitor, uint64_t *value, unsigned n_bytes)
{
  const uint8_t *bytes;
  if (visitor->cursor) {
    visitor->whole = visitor->whole && cursor_take (visitor->cursor, n_bytes, &bytes);
    *value = visitor->whole ? load_le (bytes, n_bytes) : 0;
    return;
  }
  for (unsigned i = 0; i < n_bytes; i++)
    *visitor->to++ = (uint8_t)(*value >> (8 * i));
}

static void visit_u32 (struct visitor *visitor, uint32_t *value)
{
  uint64_t wide = *value;
  visit (visitor, &wide, 4);
  *value = (uint32_t)wide;
}

static void visit_fields (struct visitor *visitor, struct state_header *header)
{
  uint32_t *const numbers[]
      = { &header->kv_format,      &header->long_rope, &header->head_dim, &header->n_kv_heads, &header->n_vocab,
          &header->context_tokens, &header->n_ids,     &header->n_ready,  &header->has_logits };
  uint8_t *const digests[] = { header->model, header->adapters };
  for (size_t i = 0; i < 2 * HASH_BYTES; i++) {
    uint8_t *digest = digests[i / HASH_BYTES] + i % HASH_BYTES;
    uint64_t byte = *digest;
    visit (visitor, &byte, 1);
    *digest = (uint8_t)byte;
  }
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    visit_u32 (visitor, numbers[i]);
  for (size_t i = 0; i < CHECKPOINTS_MAX; i++)
    visit_u32 (visitor, &header->checkpoint_tokens[i]);
  visit (visitor, &header->n_state, 8);
  visit (visitor, &header->n_payload_bytes, 8);
}

void state_header_write (const struct state_header *header, uint8_t bytes[STATE_HEADER_BYTES])
{
  struct state_header fields = *header;
  struct visitor visitor = { .to = bytes + sizeof magic };
  struct hash hash;
  memcpy (bytes, magic, sizeof magic);
  visit_u32 (&visitor, &(uint32_t){ STATE_FORMAT_VERSION });
  visit_u32 (&visitor, &(uint32_t){ STATE_KV_VERSION });
  visit_fields (&visitor, &fields);
  hash_init (&hash);
  hash_add (&hash, bytes, STATE_HEADER_BYTES - HASH_BYTES);
  hash_finish (&hash, bytes + STATE_HEADER_BYTES - HASH_BYTES);
}

int state_header_read (struct state_header *header, const char *name, const uint8_t *bytes, size_t n_bytes,
                       struct engine_error *error)
{
  struct cursor cursor = { bytes, n_bytes, 0 };
  struct visitor visitor = { .cursor = &cursor, .whole = true };
  const uint8_t *begin;
  uint32_t format_version = 0, kv_version = 0;
  uint8_t digest[HASH_BYTES];
  struct hash hash;
  if (!cursor_take (&cursor, sizeof magic, &begin) || memcmp (begin, magic, sizeof magic) != 0)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "%.200s is not a saved session.", name);
  visit_u32 (&visitor, &format_version);
  visit_u32 (&visitor, &kv_version);
  if (visitor.whole && (format_version != STATE_FORMAT_VERSION || kv_version != STATE_KV_VERSION))
    return engine_error_set (
        error, ENGINE_ERROR_UNSUPPORTED,
        "The session %.200s was saved by another version (%u.%u, this one reads %d.%d): evaluate its "
        "text again.",
        name, format_version, kv_version, STATE_FORMAT_VERSION, STATE_KV_VERSION);
  visit_fields (&visitor, header);
  if (!visitor.whole || cursor_get_left (&cursor) < HASH_BYTES)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "The saved session %.200s is cut short.", name);
  hash_init (&hash);
  hash_add (&hash, bytes, cursor.pos);
  hash_finish (&hash, digest);
  if (memcmp (digest, bytes + cursor.pos, HASH_BYTES) != 0)
    return engine_error_set (error, ENGINE_ERROR_FORMAT, "The saved session %.200s is damaged (in its header).", name);
  return ENGINE_OK;
}
