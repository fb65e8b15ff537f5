/* The published pre-tokenizer patterns, in PCRE2's syntax.
 *
 * \s is written out as White_Space, because PCRE2's differs from Unicode in U+0085 and U+180E; (?i:'s) is written
 * out so that no other letter folds into it. */
#include "engine/tokenizer/pretokenizer.h"

#define WS "\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
#define SPACES "[" WS "]+(?![^" WS "])|[" WS "]+"
#define NEWLINES "[" WS "]*[\\r\\n]+"
#define LETTERS "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+"
#define MARKS " ?[^" WS "\\p{L}\\p{N}]+"
#define RUN(n) "[" WS "]{" n "}(?![^" WS "])|"
#define SUFFIX "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"

/* GPT-2, and what it became with cl100k (Llama 3) and o200k (GPT-4o). */
#define GPT2 "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+|" MARKS "|" SPACES
#define CL100K(digits, tail) SUFFIX "|" LETTERS "|" digits "|" MARKS tail "|" NEWLINES "|" SPACES
#define UPPER "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}"
#define LOWER "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}"
#define CASED(suffix)                                                                                                  \
  "[^\\r\\n\\p{L}\\p{N}]?[" UPPER "]*[" LOWER "]+" suffix "|[^\\r\\n\\p{L}\\p{N}]?[" UPPER "]+[" LOWER "]*" suffix
#define O200K(suffix, digits) CASED (suffix) "|" digits "|" MARKS "[\\r\\n/]*|" NEWLINES "|" SPACES

/* Letters with case, as DeepSeek's tokenizer lists them. */
#define CASED_LETTERS                                                                                                  \
  "\\x{41}-\\x{5a}\\x{61}-\\x{7a}\\x{b5}\\x{c0}-\\x{d6}\\x{d8}-\\x{f6}\\x{f8}-\\x{1ba}\\x{1bc}-\\x{1bf}"               \
  "\\x{1c4}-\\x{293}\\x{295}-\\x{2af}\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37b}-\\x{37d}\\x{37f}\\x{386}"               \
  "\\x{388}-\\x{38a}\\x{38c}\\x{38e}-\\x{3a1}\\x{3a3}-\\x{3f5}\\x{3f7}-\\x{481}\\x{48a}-\\x{52f}"                      \
  "\\x{531}-\\x{556}\\x{10a0}-\\x{10c5}\\x{13a0}-\\x{13f5}\\x{13f8}-\\x{13fd}\\x{1c90}-\\x{1cba}"                      \
  "\\x{1cbd}-\\x{1cbf}\\x{1d00}-\\x{1d2b}\\x{1d6b}-\\x{1d77}\\x{1d79}-\\x{1d9a}\\x{1e00}-\\x{1f15}"                    \
  "\\x{1f18}-\\x{1f1d}\\x{1f20}-\\x{1f45}\\x{1f48}-\\x{1f4d}\\x{1f50}-\\x{1f57}\\x{1f59}\\x{1f5b}\\x{1f5d}"            \
  "\\x{1f5f}-\\x{1f7d}\\x{1f80}-\\x{1fb4}\\x{1fb6}-\\x{1fbc}\\x{1fbe}\\x{1fc2}-\\x{1fc4}\\x{1fc6}-\\x{1fcc}"           \
  "\\x{1fd0}-\\x{1fd3}\\x{1fd6}-\\x{1fdb}\\x{1fe0}-\\x{1fec}\\x{1ff2}-\\x{1ff4}\\x{1ff6}-\\x{1ffc}\\x{2102}"           \
  "\\x{2107}\\x{210a}-\\x{2113}\\x{2115}\\x{2119}-\\x{211d}\\x{2124}\\x{2126}\\x{2128}\\x{212a}-\\x{212d}"             \
  "\\x{212f}-\\x{2134}\\x{2139}\\x{213c}-\\x{213f}\\x{2145}-\\x{2149}\\x{214e}\\x{2183}\\x{2184}"                      \
  "\\x{2c00}-\\x{2c7b}\\x{2c7e}-\\x{2ce4}\\x{2ceb}-\\x{2cee}\\x{2cf2}\\x{2cf3}\\x{a640}-\\x{a66d}"                     \
  "\\x{a680}-\\x{a69b}\\x{a722}-\\x{a76f}\\x{a771}-\\x{a787}\\x{a78b}-\\x{a78e}\\x{ab70}-\\x{abbf}"                    \
  "\\x{fb00}-\\x{fb06}\\x{fb13}-\\x{fb17}\\x{ff21}-\\x{ff3a}\\x{ff41}-\\x{ff5a}\\x{10400}-\\x{1044f}"                  \
  "\\x{104b0}-\\x{104d3}\\x{104d8}-\\x{104fb}\\x{10c80}-\\x{10cb2}\\x{10cc0}-\\x{10cf2}\\x{118a0}-\\x{118df}"          \
  "\\x{1e900}-\\x{1e943}"
#define CJK_HANGUL "[\\x{4e00}-\\x{9fa5}\\x{800}-\\x{4e00}\\x{ac00}-\\x{d7ff}]+"
#define CJK_KANA "[\\x{4e00}-\\x{9fa5}\\x{3040}-\\x{309f}\\x{30a0}-\\x{30ff}]+"
/* The scripts that AFMoE's tokenizer sets apart. */
#define EAST_ASIAN                                                                                                     \
  "[\\x{4e00}-\\x{9fff}\\x{3400}-\\x{4dbf}\\x{f900}-\\x{faff}\\x{3040}-\\x{30ff}\\x{ff65}-\\x{ff9f}"                   \
  "\\x{2f00}-\\x{2fdf}\\x{e40}-\\x{eff}\\x{1780}-\\x{17ff}\\x{1000}-\\x{109f}\\x{aa60}-\\x{aa7f}\\x{a9e0}-\\x{a9ff}"   \
  "\\x{ac00}-\\x{d7af}\\x{1100}-\\x{11ff}]+"
#define BLOOM " ?[^(|.,!?\\x{2026}\\x{3002}\\x{ff0c}\\x{3001}\\x{964}\\x{6d4}\\x{60c})" WS "]+"
/* Kimi: o200k in which Han characters are words of their own. */
#define NO_HAN(set) "(?:(?!\\p{sc:Han})[" set "])"
#define KIMI                                                                                                           \
  "\\p{sc:Han}+|[^\\r\\n\\p{L}\\p{N}]?" NO_HAN (UPPER) "*" NO_HAN (                                                    \
      LOWER) "+(?:" SUFFIX                                                                                             \
             ")?|[^\\r\\n\\p{L}\\p{N}]?" NO_HAN (UPPER) "+" NO_HAN (LOWER) "*(?:" SUFFIX ")?|\\p{N}{1,3}|" MARKS       \
                                                                           "[\\r\\n]*|" NEWLINES "|" SPACES
#define DEEPSEEK3_WORDS                                                                                                \
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "                \
  "?[\\p{P}\\p{S}]+[\\r\\n]*|" NEWLINES "|" SPACES

/* Gemma 4 writes spaces as SentencePiece does and merges over whole lines. */
#define LINES "[^\\n]+|\\n+"

const struct pretokenizer_row pretokenizer_rows[] = {
  { { "default" }, { "[\\p{P}$+<=>^~|]+", GPT2, "\\p{N}+", "[0-9][0-9][0-9]" } },
  { { "gpt-2", "phi-2", "mpt", "olmo", "jais", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "exaone4", "mellum" },
    { GPT2 } },
  { { "gigachat", "a.x-4.0", "granite-docling", "trillion", "modern-bert" }, { GPT2 } },
  { { "roberta-bpe", "jina-v1-en", "jina-v2-code" }, { GPT2 }, .roberta = true },
  { { "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "lfm2", "midm-2.0", "jina-v5-nano" },
    { CL100K ("\\p{N}{1,3}", "[\\r\\n]*") },
    .ignore_merges = true,
    .add_bos = true },
  { { "dbrx", "smaug-bpe", "chatglm-bpe" }, { CL100K ("\\p{N}{1,3}", "[\\r\\n]*") } },
  { { "glm4", "glm5" }, { CL100K ("\\p{N}{1,3}", "[\\r\\n]*") }, .ignore_merges = true },
  { { "qwen2", "stablelm2", "deepseek-r1-qwen", "megrez", "hunyuan", "solar-open", "grok-2", "kormo" },
    { CL100K ("\\p{N}", "[\\r\\n]*") } },
  { { "f2llmv2", "laguna" }, { CL100K ("\\p{N}", "[\\r\\n]*") } },
  { { "ufakzeka" }, { LETTERS "|\\p{N}|" MARKS "[\\r\\n]*|" NEWLINES "|" SPACES } },
  { { "minicpm5" }, { "\\p{N}{1,3}", CL100K ("\\p{N}+", "[\\r\\n]*") }, .ignore_merges = true },
  { { "jais-2" },
    { SUFFIX "|" LETTERS "|\\p{N}{1,3}|" MARKS "[\\r\\n]*|" NEWLINES "|" RUN ("512") RUN ("256") RUN ("128") RUN ("64")
          RUN ("32") RUN ("16") RUN ("8") RUN ("4") RUN ("1,2") "[" WS "]" } },
  { { "bailingmoe", "bailingmoe2", "llada-moe" },
    { SUFFIX "|" LETTERS "|\\p{N}|" MARKS "[\\r\\n]*|[" WS "]*[\\r\\n]|" SPACES } },
  { { "seed-coder" }, { SUFFIX "|" LETTERS "|\\p{N}| ?[^" WS "\\p{L}\\p{N}]+|" NEWLINES "|" SPACES } },
  { { "exaone-moe" },
    { SUFFIX "|[^\\r\\n\\p{L}\\p{N}]?(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}|" MARKS "[\\r\\n/]?|[" WS
             "]*[\\r\\n]|" SPACES } },
  { { "k2-horizon" },
    { SUFFIX "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}\\x{200c}\\x{200d}]+|\\p{N}{1,3}|" MARKS "[\\r\\n]*|" NEWLINES
             "|" SPACES } },
  { { "qwen35" },
    { SUFFIX "|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^" WS "\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" NEWLINES
             "|" SPACES } },
  { { "deepseek-llm" },
    { "[\\r\\n]", "[" WS "]?[" CASED_LETTERS "]+",
      "[" WS "]?[!-/:-~\\x{ff01}-\\x{ff0f}\\x{ff1a}-\\x{ff5e}\\x{2018}-\\x{201f}\\x{3000}-\\x{3002}]+",
      /* The look-behind changes nothing but the cost: without it a long run of spaces is scanned from each of them. */
      "(?<![" WS "])[" WS "]++\\z", CJK_HANGUL, "\\p{N}+" } },
  { { "deepseek-coder" }, { "[\\r\\n]", "[" WS "]?\\p{L}+", "[" WS "]?\\p{P}+", CJK_HANGUL, "\\p{N}" } },
  { { "deepseek-v3", "hunyuan-dense", "joyai-llm" }, { "\\p{N}{1,3}", CJK_KANA, DEEPSEEK3_WORDS } },
  { { "falcon" }, { "[\\p{P}$+<=>^~|`]+", GPT2, "[0-9][0-9][0-9]" } },
  { { "starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2" },
    { "\\p{N}", GPT2 } },
  { { "tekken" }, { O200K ("", "\\p{N}") }, .ignore_merges = true, .add_bos = true },
  { { "gpt-4o", "llama4", "kanana2", "minimax-m2", "talkie" }, { O200K ("(?:" SUFFIX ")?", "\\p{N}{1,3}") } },
  { { "granite-embed-multi-97m" }, { O200K ("(?:" SUFFIX ")?", "\\p{N}{1,3}") }, .ignore_merges = true },
  { { "tiny_aya", "cohere2moe" },
    { "(?<!\\p{Nd})\\p{Nd}++(?![\\p{L}\\p{M}\\p{N}\\p{Pc}])", O200K ("(?:" SUFFIX ")?", "\\p{N}{1,3}") },
    .grouped = 1 },
  { { "youtu" },
    { "[\\x{ac00}-\\x{d7a3}\\x{3131}-\\x{318e}]+|[\\x{ff01}\\x{2026}\\x{201c}\\x{201d}\\x{2018}\\x{2019}\\x{2014}"
      "\\x{ff1a}\\x{ff1b}\\x{ff0c}\\x{3001}-\\x{303f}\\x{fe30}-\\x{fe4f}]+|[\\x{3105}-\\x{312f}]+|" CJK_KANA,
      O200K ("(?:" SUFFIX ")?", "\\p{N}") },
    .ignore_merges = true },
  { { "kimi-k2" }, { KIMI } },
  { { "superbpe" }, { "\\p{N}+", "\\p{Nd}++" }, .grouped = 2 },
  { { "afmoe" }, { "\\p{N}++", EAST_ASIAN, DEEPSEEK3_WORDS }, .grouped = 1 },
  { { "bloom", "poro-chat", "gpt3-finnish" }, { BLOOM } },
  { { "viking" }, { BLOOM, "\\p{N}" } },
  { { "chameleon" },
    { "<sentinel:[0-9]+>", "IMGIMG[A-I]{1,4}Z", "[\\t\\n]|    |  ", "\\p{N}", "[\\p{P}!-/:-@\\[-`{-~]", GPT2 },
    .add_bos = true },
  { { "gemma4", "granite-embed-multi-311m", "mmbert" }, { LINES }, .add_bos = true, .spaced = true },
  { { "sarvam-moe" }, { LINES }, .spaced = true },
};
const size_t pretokenizer_n_rows = sizeof pretokenizer_rows / sizeof *pretokenizer_rows;
