#include "tiny-generator.h"
#include "model-builder.h"
#include "vocabularies.h"

#include <glib/gstdio.h>
#include <string.h>

void tiny_library_store (LecternLibrary *library, const char *path, const char *language, const char *const *chunks)
{
  g_autoptr (GError) error = NULL;
  LecternDraft *draft = lectern_draft_new ();
  draft->path = g_strdup (path);
  draft->hash = g_compute_checksum_for_string (G_CHECKSUM_SHA256, path, -1);
  draft->title = g_path_get_basename (path);
  draft->type = g_strdup ("text");
  draft->language = g_strdup (language);
  for (guint i = 0; chunks[i]; i++) {
    LecternChunk *chunk = lectern_chunk_new ();
    chunk->section = -1;
    chunk->page = chunk->page_last = (int)i + 1;
    chunk->text = g_strdup (chunks[i]);
    chunk->n_tokens = lectern_count_tokens (chunks[i], -1);
    g_ptr_array_add (draft->chunks, chunk);
  }
  g_assert_true (lectern_library_store (library, draft, NULL, &error));
  g_assert_no_error (error);
  lectern_draft_free (draft);
}

/* ---- generators ------------------------------------------------------------------------------------------ */

enum { N_EMBD = 32, N_FF = 48, N_LAYERS = 2, N_TAPS = 3 };

static void add_matrix (struct gguf_writer *writer, const char *name, guint64 n_cols, guint64 n_rows, uint64_t *seed)
{
  gsize n = (gsize)(n_cols * MAX (n_rows, 1));
  g_autofree float *values = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    values[i] = n_rows ? builder_random (seed) * 0.4f : 1.0f;
  guint64 ne[] = { n_cols, n_rows };
  gguf_writer_add_tensor (writer, name, 0, n_rows ? 2 : 1, ne, values, n * sizeof (float));
}

static void add_layer_matrix (struct gguf_writer *writer, int layer, const char *name, guint64 n_cols, guint64 n_rows,
                              uint64_t *seed)
{
  g_autofree char *full = g_strdup_printf ("blk.%d.%s.weight", layer, name);
  add_matrix (writer, full, n_cols, n_rows, seed);
}

static void add_layer (struct gguf_writer *writer, int layer, gboolean convolution, gboolean qk_norm, uint64_t *seed)
{
  static const char *const square[] = { "attn_q", "attn_k", "attn_v", "attn_output" };
  add_layer_matrix (writer, layer, "attn_norm", N_EMBD, 0, seed);
  add_layer_matrix (writer, layer, "ffn_norm", N_EMBD, 0, seed);
  for (gsize i = 0; !convolution && i < G_N_ELEMENTS (square); i++)
    add_layer_matrix (writer, layer, square[i], N_EMBD, N_EMBD, seed);
  if (!convolution && qk_norm) {
    add_layer_matrix (writer, layer, "attn_q_norm", N_EMBD / 2, 0, seed);
    add_layer_matrix (writer, layer, "attn_k_norm", N_EMBD / 2, 0, seed);
  }
  if (convolution) {
    add_layer_matrix (writer, layer, "shortconv.in_proj", N_EMBD, (guint64)3 * N_EMBD, seed);
    add_layer_matrix (writer, layer, "shortconv.conv", N_TAPS, N_EMBD, seed);
    add_layer_matrix (writer, layer, "shortconv.out_proj", N_EMBD, N_EMBD, seed);
  }
  add_layer_matrix (writer, layer, "ffn_gate", N_EMBD, N_FF, seed);
  add_layer_matrix (writer, layer, "ffn_up", N_EMBD, N_FF, seed);
  add_layer_matrix (writer, layer, "ffn_down", N_FF, N_EMBD, seed);
}

static void add_u32 (struct gguf_writer *writer, const char *arch, const char *key, guint32 value)
{
  g_autofree char *full = g_strdup_printf ("%s.%s", arch, key);
  gguf_writer_add_u32 (writer, full, value);
}

static void add_shape (struct gguf_writer *writer, const char *arch, TinyKind kind, guint32 n_vocab)
{
  gguf_writer_add_string (writer, "general.architecture", arch);
  gguf_writer_add_string (writer, "general.name", "tiny");
  add_u32 (writer, arch, "context_length", TINY_CONTEXT_TOKENS);
  add_u32 (writer, arch, "embedding_length", N_EMBD);
  add_u32 (writer, arch, "block_count", N_LAYERS);
  add_u32 (writer, arch, "feed_forward_length", N_FF);
  add_u32 (writer, arch, "attention.head_count", 2);
  add_u32 (writer, arch, "vocab_size", n_vocab);
  g_autofree char *epsilon = g_strdup_printf ("%s.attention.layer_norm_rms_epsilon", arch);
  gguf_writer_add_f32 (writer, epsilon, 1e-5f);
  if (kind == TINY_LLAMA) {
    add_u32 (writer, arch, "attention.head_count_kv", 2);
    return;
  }
  static const guint32 n_kv_heads[N_LAYERS] = { 0, 2 };
  gguf_writer_add_array (writer, "lfm2.attention.head_count_kv", GGUF_U32, n_kv_heads, N_LAYERS, sizeof n_kv_heads);
  add_u32 (writer, arch, "shortconv.l_cache", N_TAPS);
}

char *tiny_generator_save (const char *dir, const char *name, TinyKind kind, uint64_t seed)
{
  struct vocabulary_file file = { 0 };
  struct gguf_writer *writer = &file.writer;
  const struct vocabulary_token tokens[]
      = { { "<|endoftext|>", CONTROL, 0 }, { "<|im_start|>", CONTROL, 0 }, { "<|im_end|>", CONTROL, 0 } };
  guint32 n_vocab = 256 + G_N_ELEMENTS (tokens);
  add_shape (writer, kind == TINY_LLAMA ? "llama" : "lfm2", kind, n_vocab);
  gguf_writer_add_string (writer, "tokenizer.ggml.model", "gpt2");
  gguf_writer_add_string (writer, "tokenizer.ggml.pre", "qwen2");
  gguf_writer_add_strings (writer, "tokenizer.ggml.merges", (const char *[]){ "a b" }, 1);
  gguf_writer_add_u32 (writer, "tokenizer.ggml.eos_token_id", 258);
  gguf_writer_add_string (
      writer, "tokenizer.chat_template",
      "{% for m in messages %}{{'<|im_start|>' + m['role'] + '\\n' + m['content'] + '<|im_end|>' + '\\n'}}{% endfor %}"
      "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}");
  vocabulary_file_add (&file, BASE_BPE, tokens, G_N_ELEMENTS (tokens));
  add_matrix (writer, "token_embd.weight", N_EMBD, n_vocab, &seed);
  if (kind == TINY_LLAMA)
    add_matrix (writer, "output.weight", N_EMBD, n_vocab, &seed);
  add_matrix (writer, kind == TINY_LLAMA ? "output_norm.weight" : "token_embd_norm.weight", N_EMBD, 0, &seed);
  for (int i = 0; i < N_LAYERS; i++)
    add_layer (writer, i, kind == TINY_LFM2 && i == 0, kind == TINY_LFM2, &seed);
  g_autofree char *models = g_build_filename (dir, "models", NULL);
  g_assert_cmpint (g_mkdir_with_parents (models, 0700), ==, 0);
  char *path = g_build_filename (models, name, NULL);
  g_assert_true (gguf_writer_save (writer, path));
  vocabulary_file_close (&file);
  return path;
}

/* ---- folders --------------------------------------------------------------------------------------------- */

char *tiny_dir_new (void)
{
  g_autoptr (GError) error = NULL;
  char *dir = g_dir_make_tmp ("lectern-test-XXXXXX", &error);
  g_assert_no_error (error);
  return dir;
}

static void remove_tree (const char *path)
{
  g_autoptr (GDir) dir = g_file_test (path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open (path, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name (dir));) {
    g_autofree char *inner = g_build_filename (path, name, NULL);
    remove_tree (inner);
  }
  g_assert_cmpint (g_remove (path), ==, 0);
}

void tiny_dir_remove (char *dir)
{
  remove_tree (dir);
  g_free (dir);
}
