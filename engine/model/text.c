/* text.c: the public calls about tokens and chats, for models that have a tokenizer and a chat format. */
#include "engine/chat/chat_template.h"
#include "engine/error.h"
#include "engine/model/model.h"
#include "engine/tokenizer/detokenize.h"
#include "engine/tokenizer/text_stream.h"

static int need_tokenizer (const struct engine_model *model, struct engine_error *error)
{
  if (model->tokenizer)
    return ENGINE_OK;
  return engine_error_set (error, ENGINE_ERROR_UNSUPPORTED,
                           "The model %.200s has no tokenizer that this engine knows: only token numbers can be used.",
                           model->path);
}

static int need_chat_template (const struct engine_model *model, struct engine_error *error)
{
  if (model->tokenizer && model->chat_template)
    return ENGINE_OK;
  return engine_error_set (
      error, ENGINE_ERROR_UNSUPPORTED,
      "The model %.200s has no chat format that this engine knows: choose an instruction-tuned model.", model->path);
}

int engine_tokenize (const struct engine_model *model, const char *text, size_t length, unsigned flags,
                     struct engine_tokens *tokens, struct engine_error *error)
{
  int status = need_tokenizer (model, error);
  return status == ENGINE_OK ? tokenizer_encode (model->tokenizer, text, length, flags, tokens, error) : status;
}

int engine_detokenize (const struct engine_model *model, const int32_t *ids, size_t n_ids, bool with_special,
                       char **text, size_t *length, struct engine_error *error)
{
  int status = need_tokenizer (model, error);
  return status == ENGINE_OK ? tokenizer_decode (model->tokenizer, ids, n_ids, with_special, text, length, error)
                             : status;
}

int engine_text_stream_new (const struct engine_model *model, struct engine_text_stream **stream,
                            struct engine_error *error)
{
  int status = need_tokenizer (model, error);
  return status == ENGINE_OK ? tokenizer_text_stream_new (model->tokenizer, stream, error) : status;
}

void engine_text_stream_free (struct engine_text_stream *stream)
{
  tokenizer_text_stream_free (stream);
}

const char *engine_text_stream_push (struct engine_text_stream *stream, int32_t id)
{
  return tokenizer_text_stream_push (stream, id);
}

const char *engine_text_stream_finish (struct engine_text_stream *stream)
{
  return tokenizer_text_stream_finish (stream);
}

bool engine_token_is_end (const struct engine_model *model, int32_t id)
{
  return model->tokenizer && tokenizer_is_end (model->tokenizer, id);
}

int engine_chat_tokenize_with (const struct engine_model *model, const struct engine_message *messages,
                               size_t n_messages, const struct engine_chat_options *options,
                               struct engine_tokens *tokens, struct engine_chat_report *report,
                               struct engine_error *error)
{
  int status = need_chat_template (model, error);
  return status == ENGINE_OK
             ? chat_template_tokenize (model->chat_template, messages, n_messages, options, tokens, report, error)
             : status;
}

int engine_chat_tokenize (const struct engine_model *model, const struct engine_message *messages, size_t n_messages,
                          struct engine_tokens *tokens, struct engine_error *error)
{
  return engine_chat_tokenize_with (model, messages, n_messages, NULL, tokens, NULL, error);
}

int engine_chat_render_with (const struct engine_model *model, const struct engine_message *messages, size_t n_messages,
                             const struct engine_chat_options *options, char **text, struct engine_chat_report *report,
                             struct engine_error *error)
{
  int status = need_chat_template (model, error);
  return status == ENGINE_OK
             ? chat_template_render (model->chat_template, messages, n_messages, options, text, report, error)
             : status;
}

int engine_chat_render (const struct engine_model *model, const struct engine_message *messages, size_t n_messages,
                        char **text, struct engine_error *error)
{
  return engine_chat_render_with (model, messages, n_messages, NULL, text, NULL, error);
}
