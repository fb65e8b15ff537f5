/* contents.c: GGUF files that hold something other than a model of their own. */
#include "engine/gguf/gguf-private.h"

/* By general.type or general.architecture, as llama.cpp's tools write them; the first row that matches counts. */
static const struct {
  const char *key, *value, *sentence;
} rows[] = {
  { "general.type", "adapter",
    "The file is an adapter (LoRA), not a model of its own: choose its base model." },
  { "general.type", "mmproj",
    "The file is a multimodal projector, the part of a model that sees or hears: choose the text model beside it." },
  { "general.architecture", "clip",
    "The file is a multimodal projector, the part of a model that sees or hears: choose the text model beside it." },
  { "general.type", "imatrix",
    "The file is an importance matrix, which helps to quantise a model, not the model itself." },
  { "general.architecture", "controlvector",
    "The file is a control vector, which steers a model, not the model itself." },
};

const char *gguf_explain_contents (const struct gguf *gguf)
{
  struct gguf_string value;
  enum gguf_kind kind;
  uint64_t n;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (gguf_get_string (gguf, rows[i].key, &value) && value.length == strlen (rows[i].value)
        && memcmp (value.bytes, rows[i].value, value.length) == 0)
      return rows[i].sentence;
  if (gguf_get_n_tensors (gguf) > 0)
    return NULL;
  if (gguf_get_array (gguf, "tokenizer.ggml.tokens", &kind, &n))
    return "The file holds only a vocabulary and no network: choose the model itself.";
  return "The file holds no network: only metadata is in it, so download the model itself.";
}
