/* engine.h: small language models on the CPU.
 *
 * This is the only header of engine/ that the layers above include. A *model* is a GGUF file, mapped and
 * validated: immutable, shareable between threads. A *session* is one sequence of tokens being extended by a
 * decoder model: it owns the KV cache. An *encoder* turns texts into vectors or scores. An *adapter* is a small file
 * that changes what a model computes, for those who ask for it. The header is narrow on purpose: which architectures,
 * tensor types and instruction sets exist is data inside engine/, never a name out here.
 *
 * Conventions. Functions that can fail return ENGINE_OK (0) or a negative enum engine_status and fill the
 * caller's struct engine_error (which may be NULL) with one sentence that says what, where and what to do. After
 * a failure every output is unchanged and nothing needs freeing. Nothing here prints or exits. Text is UTF-8
 * (invalid bytes are allowed and survive a round trip where the tokenizer has byte tokens). Units are in names. */
#ifndef LECTERN_ENGINE_H
#define LECTERN_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum engine_status {
  ENGINE_OK = 0,
  ENGINE_ERROR_IO = -1,          /* the file cannot be opened, read or mapped */
  ENGINE_ERROR_FORMAT = -2,      /* the file is not GGUF, or is damaged */
  ENGINE_ERROR_UNSUPPORTED = -3, /* a valid file that this engine cannot run; the message names what is missing */
  ENGINE_ERROR_NO_MEMORY = -4,
  ENGINE_ERROR_CANCELLED = -5,
  ENGINE_ERROR_RANGE = -6, /* an argument out of range, or the context is full */
};

struct engine_error {
  int status;
  char message[480]; /* one sentence, no trailing newline */
};

/* ---- models ---------------------------------------------------------------------------------------------- */

enum engine_role {
  ENGINE_ROLE_NONE,      /* holds no network: a vocabulary, an adapter */
  ENGINE_ROLE_GENERATOR, /* decoder with a language-model head */
  ENGINE_ROLE_ENCODER,   /* text to vector */
  ENGINE_ROLE_RERANKER,  /* query and passage to score */
};

struct engine_model;

/* What a file holds; strings live as long as the model. Numbers that the file does not give are 0. */
struct engine_model_info {
  const char *path;
  const char *architecture;  /* general.architecture, "" if absent */
  const char *name;          /* general.name, "" if absent */
  const char *tensor_types;  /* e.g. "Q4_K 168, Q6_K 29, F32 57" */
  const char *tokenizer;     /* "spm", "bpe/qwen2", "wordpiece"; "" if there is none */
  const char *chat_template; /* "own (recognised as chatml)", "own", "built-in chatml: " and why; "" if none */
  enum engine_role role;
  bool runs;          /* engine_session_new or engine_encoder_new will accept it */
  const char *reason; /* why not, one sentence; "" when runs */
  uint64_t file_bytes;
  uint64_t n_parameters;
  uint32_t context_tokens; /* the length it was trained for */
  uint32_t n_layers, n_embd, n_heads, n_kv_heads, n_vocab;
  uint64_t kv_bytes_per_token; /* of the KV cache; 0 for encoders */
  bool recurrent;              /* a session can go back only to lengths that it has kept: where a call ended, and few more */
  uint32_t gguf_version;
  uint64_t n_tensors;
};

/* Maps and validates `path`. A file that is well formed but cannot run still opens (info->runs is false), so that
 * it can be described and its tokenizer used. The file must not be truncated while it is open. */
int engine_model_open (const char *path, struct engine_model **model, struct engine_error *error);

/* NULL is allowed. Every session and encoder made from the model must have been freed. */
void engine_model_close (struct engine_model *model);

const struct engine_model_info *engine_model_get_info (const struct engine_model *model);

/* Bytes that a session of `context_tokens` needs besides the mapped file: KV cache and work buffers. Of an encoder or
 * reranker, those that a text of so many tokens needs (0: what it begins with). 0 if the model does not
 * run. */
uint64_t engine_model_get_session_bytes (const struct engine_model *model, uint32_t context_tokens);

/* Whether engine_session_new or engine_encoder_new would find the memory for it now: the weights, which stay in the
 * mapped file but are read for every token, and the session's own bytes. */
bool engine_model_fits (const struct engine_model *model, uint32_t context_tokens);

/* How a session keeps keys and values. */
enum engine_kv {
  ENGINE_KV_F16,  /* 16 bits per value */
  ENGINE_KV_Q8_0, /* 8.5 bits: blocks of 32 signed bytes with one scale */
};

/* info->kv_bytes_per_token is that of ENGINE_KV_F16. */
uint64_t engine_model_get_kv_bytes_per_token (const struct engine_model *model, enum engine_kv kv);

/* ---- tokens ---------------------------------------------------------------------------------------------- */

/* A growing list; start from {0}, functions append, engine_tokens_clear() frees. */
struct engine_tokens {
  int32_t *ids;
  size_t n, capacity;
};

void engine_tokens_clear (struct engine_tokens *tokens);

enum engine_tokenize_flags {
  ENGINE_TOKENIZE_TEXT = 0,         /* text is only text: "<|im_start|>" in it becomes ordinary tokens */
  ENGINE_TOKENIZE_ADD_SPECIAL = 1,  /* BOS/EOS, [CLS]/[SEP] as the model wants */
  ENGINE_TOKENIZE_READ_SPECIAL = 2, /* special tokens written in the text become those tokens */
};

/* Appends the tokens of text[0, length) to `tokens`. Fails with UNSUPPORTED if the model has no tokenizer. */
int engine_tokenize (const struct engine_model *model, const char *text, size_t length, unsigned flags,
                     struct engine_tokens *tokens, struct engine_error *error);

/* The bytes of tokens as malloc'ed, NUL-terminated text; *length (may be NULL) excludes the NUL. Special tokens
 * appear as they are written when `with_special`, else they are left out. */
int engine_detokenize (const struct engine_model *model, const int32_t *ids, size_t n_ids, bool with_special,
                       char **text, size_t *length, struct engine_error *error);

/* A streaming detokenizer: returns only whole UTF-8 characters and keeps the rest for the next call. */
struct engine_text_stream;
int engine_text_stream_new (const struct engine_model *model, struct engine_text_stream **stream,
                            struct engine_error *error);
void engine_text_stream_free (struct engine_text_stream *stream);
/* Text that `id` completes: NUL-terminated, maybe empty, borrowed until the next call. */
const char *engine_text_stream_push (struct engine_text_stream *stream, int32_t id);
/* What is still held back, with U+FFFD for an incomplete character; borrowed. */
const char *engine_text_stream_finish (struct engine_text_stream *stream);

bool engine_token_is_end (const struct engine_model *model, int32_t id); /* EOS, EOT, EOM: generation stops */

/* ---- chat ------------------------------------------------------------------------------------------------ */

struct engine_message {
  const char *role; /* "system", "user", "assistant" */
  const char *content;
};

/* What reasoning models are told: to think first, not to, or nothing. Others ignore it. */
enum engine_thinking { ENGINE_THINKING_UNSET, ENGINE_THINKING_OFF, ENGINE_THINKING_ON };

/* {0} is what callers usually want. */
struct engine_chat_options {
  bool no_generation_prompt; /* ends with the last message, not with the opening of the assistant's turn */
  enum engine_thinking thinking;
  const char *date; /* that templates write into the prompt, "2026-01-31"; NULL: today, in local time */
};

/* How a prompt came to be. */
enum engine_chat_path {
  ENGINE_CHAT_OWN,        /* the file's own template */
  ENGINE_CHAT_OWN_MERGED, /* its own, with the system message at the start of the first user turn */
  ENGINE_CHAT_BUILT_IN,   /* a built-in format */
};
struct engine_chat_report {
  enum engine_chat_path path;
  const char *built_in; /* the name of the format; "" on the other paths */
  char reason[480];     /* why not the file's own template as it stands, in plain words; "" on the first path */
};

/* Appends the model's chat prompt, ending with the opening of the assistant's turn. It is written by the file's own
 * tokenizer.chat_template; where that is missing or errs, as the report says. The template's own markers become special
 * tokens, whatever comes from a message is plain text: no content can forge a turn. BOS is there once, if the model wants
 * it. RANGE for other roles than the three and for no message of the user; UNSUPPORTED when nothing fits the model. */
int engine_chat_tokenize (const struct engine_model *model, const struct engine_message *messages, size_t n_messages,
                          struct engine_tokens *tokens, struct engine_error *error);

/* The same prompt as malloc'ed text, for people and tests: what the template writes, without a BOS that it leaves to the
 * tokenizer. */
int engine_chat_render (const struct engine_model *model, const struct engine_message *messages, size_t n_messages,
                        char **text, struct engine_error *error);

/* Both, with options and a report; either may be NULL. */
int engine_chat_tokenize_with (const struct engine_model *model, const struct engine_message *messages,
                               size_t n_messages, const struct engine_chat_options *options,
                               struct engine_tokens *tokens, struct engine_chat_report *report,
                               struct engine_error *error);
int engine_chat_render_with (const struct engine_model *model, const struct engine_message *messages, size_t n_messages,
                             const struct engine_chat_options *options, char **text, struct engine_chat_report *report,
                             struct engine_error *error);

/* ---- sessions (decoder models) --------------------------------------------------------------------------- */

struct engine_session;

struct engine_session_options {
  uint32_t context_tokens; /* 0: the smaller of 4096 and the model's own length */
  int n_threads;           /* 0: one per physical core */
  bool exact;              /* reference arithmetic, for validation: F32 activations and F32 KV cache */
  enum engine_kv kv;       /* unless exact */
};

/* The same as engine_model_get_session_bytes() for a session with these options. */
uint64_t engine_model_count_session_bytes (const struct engine_model *model,
                                           const struct engine_session_options *options);

/* All memory that the session will use is allocated here; the token loop allocates nothing. NO_MEMORY, with the numbers
 * and a context that would fit, if weights and session are more than what engine_get_available_bytes() tells. */
int engine_session_new (const struct engine_model *model, const struct engine_session_options *options,
                        struct engine_session **session, struct engine_error *error);
void engine_session_free (struct engine_session *session);

/* Makes the session's sequence equal to ids[0, n_ids), n_ids >= 1: the longest common prefix with what it already
 * holds is kept, the rest is evaluated (prefill). Afterwards the logits are those after the last token.
 * *n_cached (may be NULL) tells how many tokens were kept. Models with recurrent state (short convolutions, state spaces)
 * cannot go back to any length: they keep states at a few lengths, go back to the nearest before the common prefix ends,
 * and evaluate from there. What a session computes depends on its tokens alone, to the bit, not on how it came to them.
 * After CANCELLED the sequence is a prefix of `ids`. One thread at a time per session. */
int engine_session_set_tokens (struct engine_session *session, const int32_t *ids, size_t n_ids, size_t *n_cached,
                               struct engine_error *error);

/* What *n_cached of engine_session_set_tokens() would be; nothing changes. */
size_t engine_session_match (const struct engine_session *session, const int32_t *ids, size_t n_ids);

/* Appends one token and evaluates it (one decode step). After CANCELLED the sequence is as before. */
int engine_session_append (struct engine_session *session, int32_t id, struct engine_error *error);

/* The most tokens that engine_session_extend() takes. */
#define ENGINE_VERIFY_TOKENS_MAX 8

/* Appends ids[0, n_ids), 1 <= n_ids <= ENGINE_VERIFY_TOKENS_MAX, as engine_session_append() would one by one, but evaluated as
 * one batch, which takes hardly more time than one token. The logits after each of them can be had. After CANCELLED the
 * sequence is as before. */
int engine_session_extend (struct engine_session *session, const int32_t *ids, size_t n_ids,
                           struct engine_error *error);

/* Drops tokens at the end, so that n_tokens are left; RANGE if there are fewer. Of tokens that engine_session_extend()
 * appended last, all but the first can be dropped and the logits are those after the last that is left; otherwise, unless
 * nothing is dropped, there are none until the next call that evaluates. Recurrent state goes back to the nearest kept
 * length: the tokens between are evaluated again by that call. */
int engine_session_truncate (struct engine_session *session, size_t n_tokens, struct engine_error *error);

/* Writes the sequence and all that was computed from it to `path`, which is replaced at once or not at all. The file holds
 * what the user's documents said: it can be read by the user alone. Errors: IO, NO_MEMORY. */
int engine_session_save (const struct engine_session *session, const char *path, struct engine_error *error);

/* Lets the session go on from a saved one: the same tokens and logits, nothing to be evaluated. The model must be the same
 * file, the adapters and the KV format the same; the context may be of another length if the tokens fit. Errors, after which the session is
 * as it was: IO; FORMAT (no saved session, damaged, cut short); UNSUPPORTED (other model, version, or options); RANGE (more
 * tokens than the context); NO_MEMORY. */
int engine_session_restore (struct engine_session *session, const char *path, struct engine_error *error);

/* ---- the same piece by piece, for who keeps states in a way of their own ---- */

/* Takes, or fills, all of bytes[n_bytes]; false: that cannot be, and no more is asked. */
typedef bool (*engine_write_func) (void *data, const void *bytes, size_t n_bytes);
typedef bool (*engine_read_func) (void *data, void *bytes, size_t n_bytes);

/* Bytes that engine_session_write() of the first n_tokens would give. Of these tokens, *n_ready (may be NULL) need no
 * evaluation once they are read back: fewer than n_tokens where recurrent state was not kept just there. RANGE if there are
 * fewer tokens. */
int engine_session_count_state_bytes (const struct engine_session *session, size_t n_tokens, uint64_t *n_bytes,
                                      size_t *n_ready, struct engine_error *error);

/* Gives the bytes of a saved session that holds the first n_tokens, in order and without a copy of them in memory; the
 * session stays as it is. RANGE if there are fewer tokens; IO if `write` returned false. */
int engine_session_write (const struct engine_session *session, size_t n_tokens, engine_write_func write, void *data,
                          struct engine_error *error);

/* Reads them back, straight into the session's memory; bytes that follow are not asked for. The bytes are not trusted.
 * Errors: IO if `read` returned false; those of engine_session_restore(). After one the session is as it was, or empty. */
int engine_session_read (struct engine_session *session, engine_read_func read, void *data, struct engine_error *error);

/* What a saved session is bound to, as a number and a hash: the version of the engine's states, and of this session the
 * model, its adapters, the format of the KV cache and how positions are numbered. */
uint32_t engine_get_state_version (void);
#define ENGINE_STATE_ID_BYTES 16
void engine_session_get_state_id (const struct engine_session *session, uint8_t id[ENGINE_STATE_ID_BYTES]);

/* Whether dropping tokens costs nothing: the model has no recurrent state. */
bool engine_session_can_drop (const struct engine_session *session);

size_t engine_session_get_n_tokens (const struct engine_session *session);
/* The sequence: [engine_session_get_n_tokens()], borrowed until the next call that changes it. */
const int32_t *engine_session_get_tokens (const struct engine_session *session);
uint32_t engine_session_get_context_tokens (const struct engine_session *session);

/* [n_vocab] logits after the last token; valid until the next call that evaluates, drops or restores tokens. */
const float *engine_session_get_logits (const struct engine_session *session);
/* The same after all tokens but the last n_tokens; NULL unless those are fewer than engine_session_extend() appended last. */
const float *engine_session_get_logits_before (const struct engine_session *session, size_t n_tokens);

/* From any thread: the evaluation under way returns CANCELLED within 100 ms on a laptop; sticky until reset. */
void engine_session_cancel (struct engine_session *session);
void engine_session_reset_cancel (struct engine_session *session);

/* ---- adapters -------------------------------------------------------------------------------------------- */

/* LoRA (arXiv 2106.09685): low-rank changes of a model's weights, added while computing; the model stays as it is.
 * Immutable and shareable between threads: several sessions may use one with different scales at the same time. */
struct engine_adapter;

/* Maps and validates the GGUF `path` against the model, which must run. Errors: those of engine_model_open; FORMAT (not
 * an adapter, half of a change missing, shapes that do not fit); UNSUPPORTED (for another architecture, a tensor that the
 * model does not have or that cannot be changed so, a type or rank that this engine cannot compute with). */
int engine_adapter_open (const struct engine_model *model, const char *path, struct engine_adapter **adapter,
                         struct engine_error *error);
/* NULL is allowed. No session or encoder may be using it; before its model is closed. */
void engine_adapter_close (struct engine_adapter *adapter);

/* From now on the session computes with adapters[i] at scales[i] (1: as trained; 0: not at all; negative: the opposite),
 * i < n_adapters, instead of those set before; with n_adapters 0 both arrays may be NULL. The session's sequence becomes
 * empty, as it was computed otherwise; nothing is loaded again. Work memory is taken here. Errors: RANGE (a scale that is
 * not finite, an adapter of another model), NO_MEMORY; the session is then as it was. */
int engine_session_set_adapters (struct engine_session *session, const struct engine_adapter *const *adapters,
                                 const float *scales, size_t n_adapters, struct engine_error *error);

/* ---- sampling -------------------------------------------------------------------------------------------- */

/* A logit is raised by `bias` before anything else; -INFINITY: the token is never picked. */
struct engine_logit_bias {
  int32_t id;
  float bias;
};

struct engine_grammar;

/* All zero: the likeliest token, always. Each step goes through this chain, in this order (it is llama.cpp's):
 *   grammar and bans, biases, penalties, top-k, typical, top-p, min-p, temperature, draw.
 * Each cut works on the probabilities of what those before it left (at temperature 1) and leaves at least one token; of
 * equal ones the lower id is preferred. Logits that are NaN or -INFINITY are never picked unless there is no other. */
struct engine_sampler_options {
  float temperature;                         /* 0: the likeliest of what is left */
  float top_p;                               /* nucleus: (0, 1]; 1 or 0: off */
  uint32_t top_k;                            /* 0: off */
  uint64_t seed;                             /* the same seed, logits and options give the same tokens */
  float min_p;                               /* [0, 1] times the likeliest's probability; 0: off */
  float typical_p;                           /* locally typical sampling, arXiv 2202.00666: (0, 1]; 1 or 0: off */
  float repeat_penalty;                      /* divides logits of tokens in the window; 1 or 0: off */
  float frequency_penalty, presence_penalty; /* taken from the logit per occurrence, and once; 0: off */
  uint32_t penalty_window;                   /* how many of the last tokens count; 0: 64 */
  const struct engine_logit_bias *biases;    /* [n_biases], copied */
  size_t n_biases;
  struct engine_grammar *grammar; /* NULL: none. Borrowed: at work for this sampler alone, and must outlive it */
};

struct engine_sampler;
/* RANGE for an option out of its range. All memory that the sampler will use is allocated here. */
int engine_sampler_new (const struct engine_sampler_options *options, uint32_t n_vocab, struct engine_sampler **sampler,
                        struct engine_error *error);
void engine_sampler_free (struct engine_sampler *sampler);

/* The next token for logits[n_vocab]. It is not yet part of the text: engine_sampler_accept() says that it is. */
int32_t engine_sampler_pick (struct engine_sampler *sampler, const float *logits);

/* `id` was appended to the text: penalties and the grammar count it. Needed after each pick where either is used. */
void engine_sampler_accept (struct engine_sampler *sampler, int32_t id);

/* Begins a new text after `prompt`, whose tokens count for the penalties only (NULL, 0: none). The draws go on. */
void engine_sampler_restart (struct engine_sampler *sampler, const int32_t *prompt, size_t n_prompt);

/* The last pick found no token that continues the text within the grammar (the vocabulary lacks one, or all are
 * banned) and returned the token that ends a text (-1 if the vocabulary has none): the text is not whole. */
bool engine_sampler_is_stuck (const struct engine_sampler *sampler);

/* The n_top highest log-probabilities over the whole vocabulary, best first (ties: lower id first). */
struct engine_logprob {
  int32_t id;
  float logprob;
};
void engine_top_logprobs (const float *logits, uint32_t n_vocab, struct engine_logprob *top, size_t n_top);
float engine_logprob_of (const float *logits, uint32_t n_vocab, int32_t id);

/* ---- grammars -------------------------------------------------------------------------------------------- */

/* The texts of a model's tokens as a tree, which grammars walk. Made once per model (about 0.1 s for 150,000 tokens),
 * shared by its grammars and between threads; the model must outlive it. UNSUPPORTED without a tokenizer. */
struct engine_token_trie;
int engine_token_trie_new (const struct engine_model *model, struct engine_token_trie **trie,
                           struct engine_error *error);
void engine_token_trie_free (struct engine_token_trie *trie);

/* Reads a grammar for what is generated, in GBNF (llama.cpp's notation). Lines `name ::= …`, where … is made of
 *   "text"  [a-z0-9_]  [^"\\]  .  name  ( … )     literals, classes, any character, other rules, groups
 *   x*  x+  x?  x{3}  x{2,}  x{2,5}                repetitions of what stands before
 *   a b | c                                        one after the other; alternatives
 * with the escapes \t \r \n \\ \" \[ \] \xFF \uFFFF \UFFFFFFFF, and comments from # to the end of the line. A rule
 * goes on over a line's end within parentheses and after ::= and |. Generation begins at `root`. Characters are Unicode;
 * text that is no UTF-8 is never allowed. The text that counts is the one that engine_text_stream gives.
 * RANGE, with the line, for mistakes, for rules that begin with themselves, never end or are not there, and for grammars
 * beyond the limits (256 KiB, 1024 rules, 65536 steps, 100 nested groups). A text that can be read in more than about
 * 2000 ways at once, or is nested tens of thousands deep, is not allowed to go on that way.
 * One thread, and one sampler, at a time. The trie must outlive the grammar. */
int engine_grammar_new (const struct engine_token_trie *trie, const char *text, size_t length,
                        struct engine_grammar **grammar, struct engine_error *error);
void engine_grammar_free (struct engine_grammar *grammar);
/* Whether the text so far is whole: it may end here. */
bool engine_grammar_is_complete (const struct engine_grammar *grammar);

/* A grammar that comes with the engine, as GBNF: "json" (one JSON value, RFC 8259, with little white space between its
 * parts). NULL for other names. */
const char *engine_grammar_get_builtin (const char *name);

/* A grammar, as malloc'ed GBNF, for an answer from sources 1 to n_sources: either exactly `refusal`, or sentences that
 * each end in one citation or more, "[2]" or "[1][3]", before or after the full stop. A full stop before a space ends a
 * sentence; brackets are for citations only. RANGE if n_sources is not between 1 and 9999 or `refusal` is empty or no
 * UTF-8. */
int engine_grammar_for_citations (uint32_t n_sources, const char *refusal, char **text, struct engine_error *error);

/* ---- stop strings ---------------------------------------------------------------------------------------- */

/* Watches a streamed text for strings that end it: the first to be complete does, the longest if several are. */
struct engine_stop_strings;

/* RANGE if a string is empty or no UTF-8, or all are longer than 4096 bytes together. */
int engine_stop_strings_new (const char *const *strings, size_t n_strings, struct engine_stop_strings **stops,
                             struct engine_error *error);
void engine_stop_strings_free (struct engine_stop_strings *stops);
/* Takes the next whole characters of the text (as engine_text_stream gives them) and returns what can be shown: without
 * an end that may become a stop string. Once a stop string is complete *stopped is true, the text ends before it, and
 * nothing more comes out. NUL-terminated, maybe empty, borrowed until the next call; NULL only when there is no memory
 * for a piece above 4 KiB. */
const char *engine_stop_strings_push (struct engine_stop_strings *stops, const char *text, bool *stopped);
/* At the end of the text: what is still held back; borrowed. */
const char *engine_stop_strings_finish (struct engine_stop_strings *stops);

/* ---- generating ------------------------------------------------------------------------------------------ */

/* A text that a session writes token by token. What comes next is guessed where it can be: an answer that quotes its
 * passages repeats what is in the prompt, so when the end of the text was there before, the tokens that followed then are
 * evaluated together with the next one (speculative decoding; the guesses come from a suffix automaton). The text is the
 * same with guesses or without, whatever the sampler does, to the bit of every logit: only the time differs. */
struct engine_generation;

struct engine_generation_options {
  uint32_t max_tokens;
  bool no_speculation; /* one token at a time. So it is for models with recurrent state, too */
};

/* Goes on from the session's sequence, which must have logits and which nothing else may change until the end. `sampler`
 * is borrowed, too. All memory is taken here: about 110 bytes per token of the sequence and max_tokens. */
int engine_generation_new (struct engine_session *session, struct engine_sampler *sampler,
                           const struct engine_generation_options *options, struct engine_generation **generation,
                           struct engine_error *error);
void engine_generation_free (struct engine_generation *generation);

/* Evaluates the token that was picked last, if there is one, and picks the next, which the sampler has accepted unless it
 * is stuck. RANGE after max_tokens and when the context is full. After CANCELLED it can be called again. */
int engine_generation_next (struct engine_generation *generation, int32_t *id, struct engine_error *error);

/* At the end: the session's sequence becomes that before the token that was picked last, with its logits. */
int engine_generation_finish (struct engine_generation *generation, struct engine_error *error);

/* [n_vocab], from which the last token was picked; valid until the next call. */
const float *engine_generation_get_logits (const struct engine_generation *generation);

struct engine_generation_counts {
  uint64_t n_drafted, n_accepted; /* tokens that were guessed, and that came so */
  uint64_t n_batches;             /* evaluations */
};
struct engine_generation_counts engine_generation_get_counts (const struct engine_generation *generation);

/* ---- encoders and rerankers ------------------------------------------------------------------------------ */

struct engine_encoder_options {
  int n_threads;       /* 0: one per physical core */
  uint32_t dimensions; /* vectors are cut to the first so many, of models trained for it (Matryoshka, arXiv 2205.13147);
                          0: all */
};

/* Of an encoder or a reranker model; `options` may be NULL. Takes memory for 512 tokens, and more of it when longer texts
 * or several at once come: NO_MEMORY, with the numbers, where that is not there. One thread at a time per encoder. */
struct engine_encoder;
int engine_encoder_new (const struct engine_model *model, const struct engine_encoder_options *options,
                        struct engine_encoder **encoder, struct engine_error *error);
void engine_encoder_free (struct engine_encoder *encoder);
uint32_t engine_encoder_get_dimensions (const struct engine_encoder *encoder);

/* Pools (as the model says), cuts and L2-normalises into vector[dimensions]. Longer texts are cut at the model's
 * context length. */
int engine_encoder_embed (struct engine_encoder *encoder, const char *text, size_t length, float *vector,
                          struct engine_error *error);

struct engine_text {
  const char *bytes; /* need not end with NUL */
  size_t length;
};

/* The same for many texts, vectors[n_texts][dimensions], which is faster: short texts go through the network together, about
 * a thousand tokens at a time. Nothing is padded, and every vector is the one that the text has by itself, to the bit. */
int engine_encoder_embed_batch (struct engine_encoder *encoder, const struct engine_text *texts, size_t n_texts,
                                float *vectors, struct engine_error *error);
/* The same for texts that are tokens already, special ones included. RANGE unless each has 1 to the model's context length
 * of them, all of the vocabulary. */
int engine_encoder_embed_tokens (struct engine_encoder *encoder, const struct engine_tokens *texts, size_t n_texts,
                                 float *vectors, struct engine_error *error);

/* As engine_session_set_adapters(). */
int engine_encoder_set_adapters (struct engine_encoder *encoder, const struct engine_adapter *const *adapters,
                                 const float *scales, size_t n_adapters, struct engine_error *error);

/* Scores how well each of the passages answers the query: scores[n_passages], higher is better. Passages go through the
 * network together, as in engine_encoder_embed_batch(), but are scored each by itself. A score is what the model's head
 * gives: a logit, or of models with a label for each answer the probability of the first. Token types are those that the
 * model was trained with. Passages too long for the context lose their end; RANGE when the query alone does not fit. */
int engine_encoder_rerank (struct engine_encoder *encoder, const struct engine_text *query,
                           const struct engine_text *passages, size_t n_passages, float *scores,
                           struct engine_error *error);

/* From any thread: the call under way, or else the next one, returns CANCELLED; those after it run. */
void engine_encoder_cancel (struct engine_encoder *encoder);

/* ---- the machine ----------------------------------------------------------------------------------------- */

/* The kernel path in use, e.g. "avx2" or "c". LECTERN_CPU=c (read once) forces a lesser one. */
const char *engine_get_cpu_path (void);
int engine_get_physical_cores (void);
/* Bytes that weights and sessions can take now: free memory and droppable page cache (which the weights themselves are),
 * within the limits of the control groups, less a small reserve. */
uint64_t engine_get_available_bytes (void);

#endif
