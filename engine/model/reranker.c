/* reranker.c: a query and a passage through one network, which scores how well the second answers the first (Nogueira and
 * Cho, arXiv 1901.04085). */
#include "engine/error.h"
#include "engine/model/encoder.h"
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT_BYTES (1u << 28)

/* ---- pairs that the tokenizer joins ------------------------------------------------------------------------ */

static int reserve_types (struct engine_encoder *encoder, size_t n, struct engine_error *error)
{
  if (n <= encoder->n_types_capacity)
    return ENGINE_OK;
  uint8_t *types = realloc (encoder->types, n);
  if (!types)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a passage.");
  encoder->types = types;
  encoder->n_types_capacity = n;
  return ENGINE_OK;
}

static int read_pair (struct engine_encoder *encoder, const struct engine_text *query,
                      const struct engine_text *passage, struct engine_error *error)
{
  /* A byte makes few tokens, whatever the normalisation does to it. */
  const size_t context = encoder->forward.model->shape.context_tokens;
  const size_t longest = 32 + 8 * (query->length + passage->length), most = longest < context ? longest : context;
  int status = reserve_types (encoder, most, error);
  if (status == ENGINE_OK)
    status = tokenizer_encode_pair (encoder->forward.model->tokenizer, query->bytes, query->length, passage->bytes,
                                    passage->length, most, &encoder->tokens, encoder->types, error);
  encoder->use_types = true;
  return status;
}

/* ---- pairs in a prompt of the model's own ------------------------------------------------------------------ */

#define MAX_MARKS 4 /* places of the template where a text goes */

static const char query_mark[] = "{query}", passage_mark[] = "{document}";

/* A prompt in the making: the template's own words may hold special tokens, the texts in it not. */
struct prompt {
  char *bytes;
  size_t length;
  struct tokenizer_span spans[2 * MAX_MARKS + 1];
  size_t n_spans;
};

static bool append (struct prompt *prompt, const char *bytes, size_t length, bool read_special)
{
  if (prompt->n_spans == sizeof prompt->spans / sizeof *prompt->spans)
    return false;
  memcpy (prompt->bytes + prompt->length, bytes, length);
  prompt->length += length;
  prompt->spans[prompt->n_spans++] = (struct tokenizer_span){ length, read_special };
  return true;
}

static bool starts_with (struct gguf_string text, const char *word, size_t length)
{
  return text.length >= length && memcmp (text.bytes, word, length) == 0;
}

/* False when the template names the texts more often than any does. */
static bool fill_template (struct prompt *prompt, struct gguf_string template, const struct engine_text *query,
                           const struct engine_text *passage, size_t passage_length)
{
  const size_t n_query = sizeof query_mark - 1, n_passage = sizeof passage_mark - 1;
  size_t n = 0; /* bytes of the template that are still to be appended */
  prompt->length = prompt->n_spans = 0;
  while (template.length > n) {
    const struct gguf_string rest = { template.bytes + n, template.length - n };
    const bool is_query = starts_with (rest, query_mark, n_query);
    if (!is_query && !starts_with (rest, passage_mark, n_passage)) {
      n++;
      continue;
    }
    if (!append (prompt, template.bytes, n, true)
        || !append (prompt, is_query ? query->bytes : passage->bytes, is_query ? query->length : passage_length, false))
      return false;
    const size_t used = n + (is_query ? n_query : n_passage);
    template = (struct gguf_string){ template.bytes + used, template.length - used };
    n = 0;
  }
  return append (prompt, template.bytes, n, true);
}

/* Encodes the prompt with the first passage_length bytes of the passage. */
static int encode_prompt (struct engine_encoder *encoder, struct prompt *prompt, struct gguf_string template,
                          const struct engine_text *query, const struct engine_text *passage, size_t passage_length,
                          struct engine_error *error)
{
  encoder->tokens.n = 0;
  if (!fill_template (prompt, template, query, passage, passage_length))
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The model's prompt for reranking names the texts more often than this engine allows.");
  return tokenizer_encode_spans (encoder->forward.model->tokenizer, prompt->bytes, prompt->length, prompt->spans,
                                 prompt->n_spans, false, &encoder->tokens, error);
}

static size_t cut_to_character (const char *text, size_t length)
{
  while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
    length--;
  return length;
}

/* A passage that is too long loses its end: in proportion to the tokens that are too many, until it fits. */
static int read_prompt (struct engine_encoder *encoder, struct gguf_string template, const struct engine_text *query,
                        const struct engine_text *passage, struct engine_error *error)
{
  const size_t most = encoder->forward.model->shape.context_tokens;
  struct prompt prompt = { .bytes = malloc (template.length + MAX_MARKS * (query->length + passage->length) + 1) };
  if (!prompt.bytes)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for a passage.");
  size_t length = passage->length, n_without = 0;
  int status = encode_prompt (encoder, &prompt, template, query, passage, length, error);
  if (status == ENGINE_OK && encoder->tokens.n > most) {
    const size_t n_all = encoder->tokens.n;
    status = encode_prompt (encoder, &prompt, template, query, passage, 0, error);
    n_without = encoder->tokens.n;
    if (status == ENGINE_OK && n_without > most)
      status = engine_error_set (
          error, ENGINE_ERROR_RANGE,
          "The question takes %zu tokens, which leaves no room for a passage in %zu; shorten it.", n_without, most);
    for (size_t n = n_all; status == ENGINE_OK && n > most && length > 0; n = encoder->tokens.n) {
      const double share = (double)(most - n_without) / (double)(n - n_without);
      length = cut_to_character (passage->bytes, (size_t)((double)(length - 1) * (share < 1 ? share : 1)));
      status = encode_prompt (encoder, &prompt, template, query, passage, length, error);
    }
  }
  free (prompt.bytes);
  if (status == ENGINE_OK && encoder->tokens.n == 0)
    status = engine_error_set (error, ENGINE_ERROR_FORMAT, "The model's prompt for reranking is empty.");
  return status;
}

/* ---- scores ------------------------------------------------------------------------------------------------ */

static int read_passage (struct engine_encoder *encoder, const struct engine_text *query,
                         const struct engine_text *passage, struct engine_error *error)
{
  struct gguf_string template;
  encoder->tokens.n = 0;
  encoder->use_types = false;
  if (gguf_get_string (encoder->forward.model->gguf, "tokenizer.chat_template.rerank", &template))
    return read_prompt (encoder, template, query, passage, error);
  return read_pair (encoder, query, passage, error);
}

static void finish_score (struct engine_encoder *encoder, float *score)
{
  *score = encoder_run_classifier (encoder);
}

int engine_encoder_rerank (struct engine_encoder *encoder, const struct engine_text *query,
                           const struct engine_text *passages, size_t n_passages, float *scores,
                           struct engine_error *error)
{
  const struct engine_model *model = encoder->forward.model;
  if (model->info.role != ENGINE_ROLE_RERANKER)
    return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                             "The model %.200s makes vectors and does not score passages: choose a reranker.",
                             model->path);
  for (size_t i = 0; i < n_passages; i++)
    if (query->length > MAX_TEXT_BYTES || passages[i].length > MAX_TEXT_BYTES)
      return engine_error_set (error, ENGINE_ERROR_RANGE, "A text of more than %u MB cannot be scored: shorten it.",
                               MAX_TEXT_BYTES >> 20);
  float *made = calloc (n_passages ? n_passages : 1, sizeof *made);
  if (!made)
    return engine_error_set (error, ENGINE_ERROR_NO_MEMORY, "There is no memory left for %zu passages.", n_passages);
  struct encoder_job job = { finish_score, made, 1 };
  int status = ENGINE_OK;
  encoder_begin (encoder);
  for (size_t i = 0; i < n_passages && status == ENGINE_OK; i++) {
    status = read_passage (encoder, query, &passages[i], error);
    if (status == ENGINE_OK)
      status = encoder_add (encoder, &job, error);
  }
  if (status == ENGINE_OK)
    status = encoder_finish (encoder, &job, error);
  if (status == ENGINE_OK && n_passages > 0)
    memcpy (scores, made, n_passages * sizeof *made);
  free (made);
  return status;
}
