/* Statements. */
#include "engine/chat/jinja_parser.h"

static struct jinja_node *parse_body (struct jinja_parser *parser, const char *const *ends);

static void need_tag_end (struct jinja_parser *parser)
{
  if (parser->token->type != JINJA_TOKEN_BLOCK_END)
    jinja_unexpected (parser, "the end of the tag");
  parser->token++;
}

/* The body of a statement up to one of the tags named, whose name is next afterwards. */
static struct jinja_node *parse_until (struct jinja_parser *parser, const char *const *ends)
{
  need_tag_end (parser);
  return parse_body (parser, ends);
}

static const char *const end_for[] = { "else", "endfor", NULL }, *const only_end_for[] = { "endfor", NULL },
                         *const end_if[] = { "elif", "else", "endif", NULL }, *const only_end_if[] = { "endif", NULL },
                         *const end_set[] = { "endset", NULL }, *const end_with[] = { "endwith", NULL },
                         *const end_macro[] = { "endmacro", NULL }, *const end_call[] = { "endcall", NULL },
                         *const end_filter[] = { "endfilter", NULL },
                         *const end_generation[] = { "endgeneration", NULL };

static struct jinja_node *parse_for (struct jinja_parser *parser)
{
  struct jinja_node *node = jinja_node_new (parser, JINJA_NODE_FOR);
  node->first = jinja_parse_target (parser, false);
  if (!jinja_take_name (parser, "in"))
    jinja_unexpected (parser, "“in”");
  node->left = jinja_parse_tuple (parser, false);
  if (jinja_take_name (parser, "if"))
    node->right = jinja_parse_expression (parser, true);
  if (jinja_at_name (parser, "recursive"))
    jinja_fail (parser->run, "recursive loops are not supported.");
  parser->n_loops++;
  node->body = parse_until (parser, end_for);
  parser->n_loops--;
  if (jinja_take_name (parser, "else"))
    node->second = parse_until (parser, only_end_for);
  parser->token++;
  return node;
}

/* "elif" makes a chain, not a recursion: each further condition is the only statement of the else before. */
static struct jinja_node *parse_if (struct jinja_parser *parser)
{
  struct jinja_node *first = jinja_node_new (parser, JINJA_NODE_IF), *node = first;
  for (;;) {
    node->left = jinja_parse_tuple (parser, false);
    node->body = parse_until (parser, end_if);
    if (jinja_take_name (parser, "elif")) {
      node->second = jinja_node_new (parser, JINJA_NODE_IF);
      node = node->second;
      continue;
    }
    if (jinja_take_name (parser, "else"))
      node->second = parse_until (parser, only_end_if);
    parser->token++;
    return first;
  }
}

static struct jinja_node *parse_set (struct jinja_parser *parser)
{
  struct jinja_node *node = jinja_node_new (parser, JINJA_NODE_SET);
  node->first = jinja_parse_target (parser, true);
  if (jinja_take_operator (parser, "=")) {
    node->left = jinja_parse_tuple (parser, true);
    return node;
  }
  node->type = JINJA_NODE_SET_BLOCK;
  node->left = jinja_parse_filters (parser, NULL);
  node->body = parse_until (parser, end_set);
  parser->token++;
  return node;
}

static struct jinja_node *parse_with (struct jinja_parser *parser)
{
  struct jinja_node *node = jinja_node_new (parser, JINJA_NODE_WITH);
  struct jinja_chain sets = { 0 };
  while (parser->token->type != JINJA_TOKEN_BLOCK_END) {
    if (sets.first)
      jinja_need_operator (parser, ",");
    struct jinja_node *set = jinja_node_new (parser, JINJA_NODE_SET);
    set->first = jinja_parse_target (parser, false);
    jinja_need_operator (parser, "=");
    set->left = jinja_parse_expression (parser, true);
    jinja_chain_add (&sets, set);
  }
  node->first = sets.first;
  node->body = parse_until (parser, end_with);
  parser->token++;
  return node;
}

/* "(a, b=1)" */
static struct jinja_node *parse_parameters (struct jinja_parser *parser)
{
  struct jinja_chain parameters = { 0 };
  jinja_need_operator (parser, "(");
  while (!jinja_at_operator (parser, ")")) {
    if (parameters.first) {
      jinja_need_operator (parser, ",");
      if (jinja_at_operator (parser, ")"))
        break;
    }
    struct jinja_node *parameter = jinja_node_new (parser, JINJA_NODE_NAMED);
    parameter->text = jinja_need_name (parser, "the name of a parameter");
    if (jinja_take_operator (parser, "="))
      parameter->left = jinja_parse_expression (parser, true);
    else if (parameters.last && parameters.last->left)
      jinja_unexpected (parser, "a default value");
    jinja_chain_add (&parameters, parameter);
  }
  jinja_need_operator (parser, ")");
  return parameters.first;
}

/* The body of a macro: loops around it are not its own, and what it reads is found out. */
static void parse_macro_body (struct jinja_parser *parser, struct jinja_node *macro, const char *const *ends)
{
  struct jinja_parser outer = *parser;
  parser->n_loops = 0;
  parser->reads_varargs = parser->reads_kwargs = false;
  macro->body = parse_until (parser, ends);
  macro->reads_varargs = parser->reads_varargs;
  macro->reads_kwargs = parser->reads_kwargs;
  parser->n_loops = outer.n_loops;
  parser->reads_varargs = outer.reads_varargs;
  parser->reads_kwargs = outer.reads_kwargs;
  parser->token++;
}

static struct jinja_node *parse_macro (struct jinja_parser *parser)
{
  struct jinja_node *node = jinja_node_new (parser, JINJA_NODE_MACRO);
  node->text = jinja_need_name (parser, "the name of the macro");
  node->first = parse_parameters (parser);
  parse_macro_body (parser, node, end_macro);
  return node;
}

static struct jinja_node *parse_call (struct jinja_parser *parser)
{
  struct jinja_node *node = jinja_node_new (parser, JINJA_NODE_CALL_BLOCK);
  struct jinja_node *macro = jinja_node_new (parser, JINJA_NODE_MACRO);
  macro->text = jinja_string_of ("caller");
  if (jinja_at_operator (parser, "("))
    macro->first = parse_parameters (parser);
  node->left = jinja_parse_expression (parser, true);
  if (node->left->type != JINJA_NODE_CALL)
    jinja_unexpected (parser, "a call");
  node->first = macro;
  parse_macro_body (parser, macro, end_call);
  return node;
}

static struct jinja_node *parse_filter_block (struct jinja_parser *parser)
{
  struct jinja_node *node = jinja_node_new (parser, JINJA_NODE_FILTERED);
  node->left = jinja_parse_filters (parser, jinja_parse_filter (parser, NULL));
  node->body = parse_until (parser, end_filter);
  parser->token++;
  return node;
}

static struct jinja_node *parse_generation (struct jinja_parser *parser)
{
  struct jinja_node *node = jinja_node_new (parser, JINJA_NODE_GENERATION);
  node->body = parse_until (parser, end_generation);
  parser->token++;
  return node;
}

static struct jinja_node *parse_jump (struct jinja_parser *parser, enum jinja_node_type type)
{
  if (parser->n_loops == 0)
    jinja_fail (parser->run, "break and continue belong in a loop.");
  return jinja_node_new (parser, type);
}

static struct jinja_node *parse_break (struct jinja_parser *parser)
{
  return parse_jump (parser, JINJA_NODE_BREAK);
}

static struct jinja_node *parse_continue (struct jinja_parser *parser)
{
  return parse_jump (parser, JINJA_NODE_CONTINUE);
}

static struct jinja_node *refuse_file (struct jinja_parser *parser)
{
  jinja_fail (parser->run, "it wants to read another file, which templates may not.");
}

static const struct {
  const char *name;
  struct jinja_node *(*parse) (struct jinja_parser *parser);
} statements[] = {
  { "for", parse_for },
  { "if", parse_if },
  { "set", parse_set },
  { "with", parse_with },
  { "macro", parse_macro },
  { "call", parse_call },
  { "filter", parse_filter_block },
  { "generation", parse_generation },
  { "break", parse_break },
  { "continue", parse_continue },
  { "include", refuse_file },
  { "import", refuse_file },
  { "from", refuse_file },
  { "extends", refuse_file },
};

/* The statement whose name was just read; up to the end of its last tag, which stays. */
static struct jinja_node *parse_statement (struct jinja_parser *parser, struct jinja_string name)
{
  for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
    if (jinja_string_is (name, statements[i].name))
      return statements[i].parse (parser);
  jinja_fail (parser->run, "“%.*s” is no statement that is known here.", (int)(name.length < 40 ? name.length : 40),
              name.bytes);
}

static bool at_any (const struct jinja_parser *parser, const char *const *names)
{
  for (; *names; names++)
    if (jinja_at_name (parser, *names))
      return true;
  return false;
}

static struct jinja_node *parse_output (struct jinja_parser *parser)
{
  struct jinja_node *node = jinja_node_new (parser, JINJA_NODE_OUTPUT);
  node->left = jinja_parse_tuple (parser, true);
  if (parser->token->type != JINJA_TOKEN_VARIABLE_END)
    jinja_unexpected (parser, "the end of the tag");
  parser->token++;
  return node;
}

/* Statements up to a tag that is one of `ends` (its name is next afterwards), or to the end when ends is NULL. */
static struct jinja_node *parse_body (struct jinja_parser *parser, const char *const *ends)
{
  struct jinja_chain body = { 0 };
  jinja_enter (parser->run);
  for (;;) {
    parser->run->line = parser->token->line;
    const struct jinja_token *token = parser->token;
    if (token->type == JINJA_TOKEN_END) {
      if (ends)
        jinja_fail (parser->run, "it ends where {%% %s %%} should be.", ends[0]);
      break;
    }
    parser->token++;
    if (token->type == JINJA_TOKEN_DATA) {
      struct jinja_node *text = jinja_node_new (parser, JINJA_NODE_TEXT);
      text->text = token->text;
      jinja_chain_add (&body, text);
    } else if (token->type == JINJA_TOKEN_VARIABLE_BEGIN) {
      jinja_chain_add (&body, parse_output (parser));
    } else {
      if (ends && at_any (parser, ends))
        break;
      jinja_chain_add (&body, parse_statement (parser, jinja_need_name (parser, "the name of a statement")));
      need_tag_end (parser);
    }
  }
  jinja_leave (parser->run);
  return body.first;
}

struct jinja_node *jinja_parse (struct jinja_run *run, struct jinja_tokens tokens)
{
  struct jinja_parser parser = { .run = run, .token = tokens.items };
  return parse_body (&parser, NULL);
}
