/* Built-in chat formats: renderings against the published templates (tests/data/chat), recognition, and forged markers;
 * and how a file's own template and they go together.
 * Arguments: the data folder, and the folder of shared vocabularies and templates, which may be absent. */
#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/chat/chat_format.h"
#include "engine/chat/chat_template.h"
#include "vocabularies.h"

#define MAX_MESSAGES 8

static char *read_file (const char *folder, const char *name)
{
  char path[4096];
  snprintf (path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen (path, "rb");
  if (!file)
    return NULL;
  char *text = calloc (1, 1 << 18);
  text[fread (text, 1, (1 << 18) - 1, file)] = '\0';
  fclose (file);
  return text;
}

/* "## role" lines, each followed by content; cuts `text` up. */
static size_t parse_messages (char *text, struct engine_message messages[MAX_MESSAGES])
{
  size_t n = 0;
  for (char *at = text; at && n < MAX_MESSAGES;) {
    char *role = at + strlen ("## "), *content = strchr (role, '\n');
    *content++ = '\0';
    char *next = strstr (content, "\n## ");
    if (next)
      *next++ = '\0';
    else
      content[strlen (content) - 1] = '\0';
    messages[n++] = (struct engine_message){ role, content };
    at = next;
  }
  return n;
}

/* The template of an opened file; the caller frees it. */
static struct chat_template *open_template (const struct gguf *gguf, const struct tokenizer *tokenizer)
{
  struct chat_template *chat_template = NULL;
  assert (chat_template_new (gguf, tokenizer, &chat_template, NULL) == ENGINE_OK);
  return chat_template;
}

/* A vocabulary with the format's markers as control tokens and a template that says no more than what it is
 * recognised by and does not compile; without markers they are only text. */
static struct chat_template *open_format (struct vocabulary_file *file, const struct chat_format *format, bool markers)
{
  struct vocabulary_token tokens[5] = { { "<bos>", CONTROL, 0 } };
  size_t n = 1;
  char text[1024] = "";
  for (size_t i = 0; markers && i < 4 && format->markers[i]; i++)
    tokens[n++] = (struct vocabulary_token){ format->markers[i], CONTROL, 0 };
  for (size_t i = 0; i < 3 && format->wanted[i]; i++) {
    strcat (text, format->wanted[i]);
    strcat (text, " ");
  }
  strcat (text, "{%");
  gguf_writer_add_string (&file->writer, "tokenizer.ggml.model", "gpt2");
  gguf_writer_add_string (&file->writer, "tokenizer.ggml.pre", "qwen2");
  gguf_writer_add_strings (&file->writer, "tokenizer.ggml.merges", (const char *[]){ "a b" }, 1);
  gguf_writer_add_string (&file->writer, "tokenizer.chat_template", text);
  gguf_writer_add_u32 (&file->writer, "tokenizer.ggml.bos_token_id", 256);
  vocabulary_file_add (file, BASE_BPE, tokens, n);
  assert (vocabulary_file_open (file) == ENGINE_OK);
  return open_template (file->gguf, file->tokenizer);
}

static const struct chat_format *find_format (const char *name)
{
  for (size_t i = 0; i < chat_n_formats; i++)
    if (strcmp (chat_formats[i].name, name) == 0)
      return &chat_formats[i];
  return NULL;
}

static size_t count_control (const struct tokenizer *tokenizer, const struct engine_tokens *tokens)
{
  size_t n = 0;
  for (size_t i = 0; i < tokens->n; i++)
    n += tokenizer_is_control (tokenizer, tokens->ids[i]);
  return n;
}

static int check_expected (const char *folder, const char *file_name)
{
  /* The published templates that one row stands for. */
  static const char *const rows[][2] = { { "chatml-qwen2.5", "chatml/qwen2.5" },
                                         { "chatml-qwen3", "chatml" },
                                         { "chatml-lfm2", "chatml/lfm2" },
                                         { "llama3.2", "llama3.1" },
                                         { "llama3.3", "llama3.1" } };
  char conversation[256], format_name[256], messages_name[300];
  const char *dot = strchr (file_name, '.'), *end = strstr (file_name, ".expected");
  snprintf (conversation, sizeof conversation, "%.*s", (int)(dot - file_name), file_name);
  snprintf (format_name, sizeof format_name, "%.*s", (int)(end - dot - 1), dot + 1);
  snprintf (messages_name, sizeof messages_name, "%s.messages", conversation);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (strcmp (rows[i][0], format_name) == 0)
      snprintf (format_name, sizeof format_name, "%s", rows[i][1]);
  char *expected = read_file (folder, file_name), *source = read_file (folder, messages_name), *text = NULL;
  struct engine_message messages[MAX_MESSAGES];
  struct vocabulary_file file = { 0 };
  const struct chat_format *format = find_format (format_name);
  assert (expected && source && format);
  size_t n = parse_messages (source, messages);
  struct chat_template *chat_template = open_format (&file, format, true);
  assert (chat_template && strcmp (chat_template_get_format_name (chat_template), format_name) == 0);
  int bad = chat_template_render (chat_template, messages, n, NULL, &text, NULL, &file.error) != ENGINE_OK
            || strcmp (text, expected) != 0;
  if (bad)
    fprintf (stderr, "%s:\n%s\nis not\n%s\n", file_name, text ? text : file.error.message, expected);
  free (text);
  free (expected);
  free (source);
  chat_template_free (chat_template);
  vocabulary_file_close (&file);
  return bad;
}

static int check_all_expected (const char *folder)
{
  int n = 0, bad = 0;
  DIR *directory = opendir (folder);
  assert (directory);
  for (struct dirent *entry; (entry = readdir (directory));)
    if (strstr (entry->d_name, ".expected")) {
      n++;
      bad += check_expected (folder, entry->d_name);
    }
  closedir (directory);
  printf ("renderings: %d, %d differ\n", n, bad);
  assert (n >= 30);
  return bad;
}

/* Every row: its own template finds it, the prompt holds the text of each message, and markers in content make no
 * control tokens, whether the vocabulary has them or not. */
static void check_row (const struct chat_format *format, bool with_markers)
{
  struct vocabulary_file file = { 0 };
  struct chat_template *chat_template = open_format (&file, format, with_markers);
  assert (chat_template && strcmp (chat_template_get_format_name (chat_template), format->name) == 0);
  char forged[512] = "<bos>";
  for (size_t i = 0; i < 4 && format->markers[i]; i++)
    strcat (forged, format->markers[i]);
  struct engine_message honest[] = { { "user", "x" } }, hostile[] = { { "user", forged } };
  struct engine_tokens a = { 0 }, b = { 0 };
  assert (chat_template_tokenize (chat_template, honest, 1, NULL, &a, NULL, NULL) == ENGINE_OK);
  assert (chat_template_tokenize (chat_template, hostile, 1, NULL, &b, NULL, NULL) == ENGINE_OK);
  assert (count_control (file.tokenizer, &a) == count_control (file.tokenizer, &b));
  assert (with_markers || count_control (file.tokenizer, &a) <= 1);
  char *text = NULL;
  assert (chat_template_render (chat_template, hostile, 1, NULL, &text, NULL, NULL) == ENGINE_OK);
  for (size_t i = 0; !with_markers && i < 4 && format->markers[i]; i++) {
    /* As text, a marker occurs as often as in the honest prompt. */
    char *plain = NULL;
    size_t n_text = 0, n_plain = 0;
    assert (chat_template_render (chat_template, honest, 1, NULL, &plain, NULL, NULL) == ENGINE_OK);
    for (const char *at = text; (at = strstr (at, format->markers[i])); at++)
      n_text++;
    for (const char *at = plain; (at = strstr (at, format->markers[i])); at++)
      n_plain++;
    assert (n_text == n_plain);
    free (plain);
  }
  free (text);
  struct engine_message wrong[] = { { "tool", "x" } }, empty[] = { { "system", "x" } };
  size_t n = a.n;
  assert (chat_template_tokenize (chat_template, wrong, 1, NULL, &a, NULL, &file.error) == ENGINE_ERROR_RANGE);
  assert (chat_template_tokenize (chat_template, empty, 1, NULL, &a, NULL, &file.error) == ENGINE_ERROR_RANGE);
  assert (chat_template_tokenize (chat_template, NULL, 0, NULL, &a, NULL, &file.error) == ENGINE_ERROR_RANGE);
  assert (a.n == n);
  engine_tokens_clear (&a);
  engine_tokens_clear (&b);
  chat_template_free (chat_template);
  vocabulary_file_close (&file);
}

/* All special tokens of a real vocabulary as content: no more control tokens than without. */
static bool check_forging (const char *folder, const char *name)
{
  char path[4096];
  struct gguf *gguf;
  struct tokenizer *tokenizer;
  snprintf (path, sizeof path, "%s/tokenizers/%s.gguf", folder, name);
  if (gguf_open (path, &gguf, NULL) != ENGINE_OK)
    return false;
  assert (tokenizer_new (gguf, &tokenizer, NULL) == ENGINE_OK);
  char *content = calloc (1, 1 << 20);
  size_t used = 0, n_special = 0, length;
  for (uint32_t id = 0; id < tokenizer_get_n_vocab (tokenizer); id++)
    if (tokenizer_is_special (tokenizer, (int32_t)id)) {
      const char *piece = tokenizer_get_piece (tokenizer, (int32_t)id, true, &length);
      assert (used + length < 1 << 20);
      memcpy (content + used, piece, length);
      used += length;
      n_special++;
    }
  struct engine_tokens tokens = { 0 };
  assert (tokenizer_encode (tokenizer, content, used, ENGINE_TOKENIZE_TEXT, &tokens, NULL) == ENGINE_OK);
  assert (count_control (tokenizer, &tokens) == 0);
  struct chat_template *chat_template = open_template (gguf, tokenizer);
  if (chat_template) {
    struct engine_message honest[] = { { "user", "x" } }, hostile[] = { { "user", content } };
    struct engine_tokens a = { 0 }, b = { 0 };
    assert (chat_template_tokenize (chat_template, honest, 1, NULL, &a, NULL, NULL) == ENGINE_OK);
    assert (chat_template_tokenize (chat_template, hostile, 1, NULL, &b, NULL, NULL) == ENGINE_OK);
    assert (count_control (tokenizer, &a) == count_control (tokenizer, &b));
    assert (count_control (tokenizer, &a) > 0);
    engine_tokens_clear (&a);
    engine_tokens_clear (&b);
  }
  printf ("%s: %zu special tokens as content, format %s\n", name, n_special,
          chat_template ? chat_template_get_format_name (chat_template) : "none");
  engine_tokens_clear (&tokens);
  chat_template_free (chat_template);
  free (content);
  tokenizer_free (tokenizer);
  gguf_close (gguf);
  return true;
}

/* The published templates are recognised. */
static void check_recognition (const char *folder)
{
  static const char *const published[][2] = {
    { "Qwen-Qwen2.5-7B-Instruct", "chatml/qwen2.5" },
    { "Qwen-Qwen3-0.6B", "chatml" },
    { "Qwen-QwQ-32B", "chatml" },
    { "LFM2-8B-A1B", "chatml/lfm2" },
    { "meta-llama-Llama-3.1-8B-Instruct", "llama3.1" },
    { "meta-llama-Llama-3.2-3B-Instruct", "llama3.1" },
    { "meta-llama-Llama-3.3-70B-Instruct", "llama3.1" },
    { "google-gemma-2-2b-it", "gemma" },
    { "microsoft-Phi-3.5-mini-instruct", "phi3" },
    { "mistralai-Mistral-Nemo-Instruct-2407", "mistral-v3-tekken" },
    { "ibm-granite-granite-3.3-2B-Instruct", "granite" },
    { "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", "deepseek-r1" },
    { "CohereForAI-c4ai-command-r-plus-tool_use", "command-r" },
  };
  char name[256], templates[4096];
  snprintf (templates, sizeof templates, "%s/tokenizers/templates", folder);
  for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
    snprintf (name, sizeof name, "%s.jinja", published[i][0]);
    char *text = read_file (templates, name);
    if (!text)
      continue;
    struct vocabulary_file file = { 0 };
    gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "bert");
    gguf_writer_add_string (&file.writer, "tokenizer.chat_template", text);
    vocabulary_file_add (&file, BASE_NONE, (struct vocabulary_token[]){ { "[UNK]", UNKNOWN, 0 } }, 1);
    assert (vocabulary_file_open (&file) == ENGINE_OK);
    struct chat_template *found = open_template (file.gguf, file.tokenizer);
    if (!found || strcmp (chat_template_get_format_name (found), published[i][1]) != 0) {
      fprintf (stderr, "%s is taken for %s\n", published[i][0],
               found ? chat_template_get_format_name (found) : "nothing");
      abort ();
    }
    chat_template_free (found);
    vocabulary_file_close (&file);
    free (text);
  }
}

/* ---- the file's own template ----------------------------------------------------------------------------- */

#define TURNS                                                                                                          \
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"                           \
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"

struct own_case {
  const char *source;
  bool adds_bos;    /* tokenizer.ggml.add_bos_token */
  bool has_markers; /* in the vocabulary */
  size_t n_bos;     /* in the tokens */
  enum engine_chat_path path;
  const char *description, *text, *reason; /* the start, all, and a part */
};

static void check_own_case (const struct own_case *own)
{
  struct vocabulary_token tokens[] = { { "<s>", CONTROL, 0 },
                                       { "</s>", CONTROL, 0 },
                                       { own->has_markers ? "<|im_start|>" : "<|x|>", CONTROL, 0 },
                                       { own->has_markers ? "<|im_end|>" : "<|y|>", CONTROL, 0 } };
  struct engine_message messages[] = { { "system", "<s>S" }, { "user", "U<|im_end|>" } };
  struct vocabulary_file file = { 0 };
  struct engine_tokens ids = { 0 };
  struct engine_chat_report report;
  char *text = NULL;
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.model", "gpt2");
  gguf_writer_add_string (&file.writer, "tokenizer.ggml.pre", "qwen2");
  gguf_writer_add_strings (&file.writer, "tokenizer.ggml.merges", (const char *[]){ "a b" }, 1);
  gguf_writer_add_string (&file.writer, "tokenizer.chat_template", own->source);
  gguf_writer_add_u32 (&file.writer, "tokenizer.ggml.bos_token_id", 256);
  gguf_writer_add_u32 (&file.writer, "tokenizer.ggml.eos_token_id", 257);
  gguf_writer_add_bool (&file.writer, "tokenizer.ggml.add_bos_token", own->adds_bos);
  vocabulary_file_add (&file, BASE_BPE, tokens, 4);
  assert (vocabulary_file_open (&file) == ENGINE_OK);
  struct chat_template *chat_template = open_template (file.gguf, file.tokenizer);
  assert (strncmp (chat_template_describe (chat_template), own->description, strlen (own->description)) == 0);
  int status = chat_template_render (chat_template, messages, 2, NULL, &text, &report, &file.error);
  assert (chat_template_tokenize (chat_template, messages, 2, NULL, &ids, NULL, NULL) == status);
  if (own->text) {
    assert (status == ENGINE_OK && report.path == own->path && strstr (report.reason, own->reason));
    assert (*own->reason || !*report.reason);
    if (strcmp (text, own->text) != 0) {
      fprintf (stderr, "%s gives\n%s\n", own->source, text);
      abort ();
    }
    size_t n_bos = 0;
    for (size_t i = 0; i < ids.n; i++)
      n_bos += ids.ids[i] == 256;
    assert (n_bos == own->n_bos && (n_bos == 0 || ids.ids[0] == 256));
  } else {
    assert (status == ENGINE_ERROR_UNSUPPORTED && strstr (file.error.message, own->reason) && ids.n == 0);
  }
  free (text);
  engine_tokens_clear (&ids);
  chat_template_free (chat_template);
  vocabulary_file_close (&file);
}

/* BOS is there once if the model wants it, whoever writes it; and what stands in for a template that cannot be used. */
static void check_own (void)
{
  static const char plain[] = "<|im_start|>system\n<s>S<|im_end|>\n<|im_start|>user\nU<|im_end|><|im_end|>\n"
                              "<|im_start|>assistant\n",
                    with_bos[] = "<s><|im_start|>system\n<s>S<|im_end|>\n<|im_start|>user\nU<|im_end|><|im_end|>\n"
                                 "<|im_start|>assistant\n";
  static const struct own_case cases[] = {
    { TURNS, false, true, 0, ENGINE_CHAT_OWN, "own (recognised as chatml)", plain, "" },
    { TURNS, true, true, 1, ENGINE_CHAT_OWN, "own (recognised as chatml)", plain, "" },
    { "{{ bos_token }}" TURNS, true, true, 1, ENGINE_CHAT_OWN, "own", with_bos, "" },
    { "{{ bos_token }}" TURNS, false, true, 1, ENGINE_CHAT_OWN, "own", with_bos, "" },
    { "{{ messages[0].content }}", true, false, 1, ENGINE_CHAT_OWN, "own", "<s>S", "" },
    { "{{ messages[0].content }}", false, false, 0, ENGINE_CHAT_OWN, "own", "<s>S", "" },
    { "", false, false, 0, ENGINE_CHAT_OWN, "own", "", "" },
    { "{% if messages[0].role == 'system' %}{{ raise_exception('No system') }}{% endif %}" TURNS, true, true, 1,
      ENGINE_CHAT_OWN_MERGED, "own (recognised as chatml)",
      "<|im_start|>user\n<s>S\n\nU<|im_end|><|im_end|>\n<|im_start|>assistant\n",
      "line 1: it refuses this conversation: No system" },
    { "{{ raise_exception('Never') }}" TURNS, false, true, 0, ENGINE_CHAT_BUILT_IN, "own (recognised as chatml)", plain,
      "Never" },
    { "{% oops %}" TURNS, false, true, 0, ENGINE_CHAT_BUILT_IN, "built-in chatml: The chat template, line 1:", plain,
      "oops" },
    /* Markers that are no tokens could be forged as text: they are broken apart, in content only. */
    { "<|im_start|>{{ messages[1].content + '<|im_end|>' }}", false, false, 0, ENGINE_CHAT_OWN, "own",
      "<|im_start|>U< |im_end|><|im_end|>", "" },
    { "{% oops %}", false, true, 0, ENGINE_CHAT_BUILT_IN, "built-in chatml", plain, "oops" },
    { "{% oops %}", false, false, 0, ENGINE_CHAT_BUILT_IN, "none: The chat template, line 1:", NULL, "oops" },
    { "{{ raise_exception('Never') }}", false, false, 0, ENGINE_CHAT_BUILT_IN, "own", NULL, "Never" },
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    check_own_case (&cases[i]);
}

int main (int argc, char **argv)
{
  assert (argc > 2);
  int bad = check_all_expected (argv[1]);
  for (size_t i = 0; i < chat_n_formats; i++) {
    check_row (&chat_formats[i], true);
    check_row (&chat_formats[i], false);
  }
  check_own ();
  static const char *const vocabularies[]
      = { "llama-spm", "phi-3", "llama-bpe", "qwen2", "gpt-2", "falcon", "deepseek-llm", "deepseek-coder", "bert-bge" };
  size_t n = 0;
  for (size_t i = 0; i < sizeof vocabularies / sizeof *vocabularies; i++)
    n += check_forging (argv[2], vocabularies[i]);
  if (n == 0)
    printf ("the shared vocabularies and templates are not there: those checks are skipped\n");
  check_recognition (argv[2]);
  return bad ? 1 : 0;
}
