/* Expressions, with the precedence of Jinja 3: or, and, not, comparisons, + -, ~, * / // %, **, signs, then filters. */
#include "engine/chat/jinja_parser.h"

static struct jinja_node *parse_unary (struct jinja_parser *parser, bool with_filter);

struct jinja_node *jinja_node_new (struct jinja_parser *parser, enum jinja_node_type type)
{
  struct jinja_node *node = jinja_alloc (parser->run, 1, sizeof *node);
  node->type = type;
  node->line = parser->token->line;
  return node;
}

void jinja_chain_add (struct jinja_chain *chain, struct jinja_node *node)
{
  if (chain->last)
    chain->last->next = node;
  else
    chain->first = node;
  chain->last = node;
}

bool jinja_at_operator (const struct jinja_parser *parser, const char *op)
{
  return parser->token->type == JINJA_TOKEN_OPERATOR && jinja_string_is (parser->token->text, op);
}

bool jinja_at_name (const struct jinja_parser *parser, const char *name)
{
  return parser->token->type == JINJA_TOKEN_NAME && jinja_string_is (parser->token->text, name);
}

bool jinja_take_operator (struct jinja_parser *parser, const char *op)
{
  bool is = jinja_at_operator (parser, op);
  parser->token += is;
  return is;
}

bool jinja_take_name (struct jinja_parser *parser, const char *name)
{
  bool is = jinja_at_name (parser, name);
  parser->token += is;
  return is;
}

void jinja_unexpected (struct jinja_parser *parser, const char *wanted)
{
  struct jinja_string text = parser->token->text;
  parser->run->line = parser->token->line;
  if (parser->token->type == JINJA_TOKEN_END)
    jinja_fail (parser->run, "it ends where %s should be.", wanted);
  jinja_fail (parser->run, "“%.*s” stands where %s should be.", (int)(text.length < 40 ? text.length : 40), text.bytes,
              wanted);
}

void jinja_need_operator (struct jinja_parser *parser, const char *op)
{
  char wanted[16] = "“";
  if (jinja_take_operator (parser, op))
    return;
  size_t n = 3;
  for (const char *at = op; *at && n < 8; at++)
    wanted[n++] = *at;
  for (const char *at = "”"; *at; at++)
    wanted[n++] = *at;
  jinja_unexpected (parser, wanted);
}

struct jinja_string jinja_need_name (struct jinja_parser *parser, const char *what)
{
  if (parser->token->type != JINJA_TOKEN_NAME)
    jinja_unexpected (parser, what);
  return (parser->token++)->text;
}

static struct jinja_node *node_of (struct jinja_parser *parser, enum jinja_node_type type, struct jinja_node *left,
                                   struct jinja_node *right)
{
  struct jinja_node *node = jinja_node_new (parser, type);
  node->left = left;
  node->right = right;
  if (left)
    node->line = left->line;
  return node;
}

/* ---- primaries ------------------------------------------------------------------------------------------- */

static struct jinja_node *parse_name (struct jinja_parser *parser)
{
  static const struct {
    const char *name;
    struct jinja_value value;
  } constants[] = {
    { "true", { .type = JINJA_BOOLEAN, .boolean = true } },
    { "True", { .type = JINJA_BOOLEAN, .boolean = true } },
    { "false", { .type = JINJA_BOOLEAN, .boolean = false } },
    { "False", { .type = JINJA_BOOLEAN, .boolean = false } },
    { "none", { .type = JINJA_NONE } },
    { "None", { .type = JINJA_NONE } },
  };
  struct jinja_node *node = jinja_node_new (parser, JINJA_NODE_NAME);
  node->text = (parser->token++)->text;
  for (size_t i = 0; i < sizeof constants / sizeof *constants; i++)
    if (jinja_string_is (node->text, constants[i].name)) {
      node->type = JINJA_NODE_CONSTANT;
      node->value = constants[i].value;
    }
  parser->reads_varargs = parser->reads_varargs || jinja_string_is (node->text, "varargs");
  parser->reads_kwargs = parser->reads_kwargs || jinja_string_is (node->text, "kwargs");
  return node;
}

static struct jinja_node *parse_constant (struct jinja_parser *parser)
{
  struct jinja_node *node = jinja_node_new (parser, JINJA_NODE_CONSTANT);
  node->value = (parser->token++)->value;
  /* Strings side by side are one. */
  struct jinja_builder builder = { .run = parser->run };
  if (node->value.type == JINJA_STRING && parser->token->type == JINJA_TOKEN_CONSTANT
      && parser->token->value.type == JINJA_STRING) {
    jinja_builder_add (&builder, node->value.string);
    while (parser->token->type == JINJA_TOKEN_CONSTANT && parser->token->value.type == JINJA_STRING)
      jinja_builder_add (&builder, (parser->token++)->value.string);
    node->value.string = jinja_builder_get (&builder);
  }
  return node;
}

/* After the opening bracket, up to the closing one. */
static struct jinja_node *parse_items (struct jinja_parser *parser, enum jinja_node_type type, const char *closing)
{
  struct jinja_node *node = jinja_node_new (parser, type);
  struct jinja_chain items = { 0 };
  while (!jinja_at_operator (parser, closing)) {
    if (items.first) {
      jinja_need_operator (parser, ",");
      if (jinja_at_operator (parser, closing))
        break;
    }
    jinja_chain_add (&items, jinja_parse_expression (parser, true));
    if (type == JINJA_NODE_DICT) {
      jinja_need_operator (parser, ":");
      jinja_chain_add (&items, jinja_parse_expression (parser, true));
    }
  }
  jinja_need_operator (parser, closing);
  node->first = items.first;
  return node;
}

static struct jinja_node *parse_primary (struct jinja_parser *parser)
{
  if (parser->token->type == JINJA_TOKEN_NAME)
    return parse_name (parser);
  if (parser->token->type == JINJA_TOKEN_CONSTANT)
    return parse_constant (parser);
  if (jinja_take_operator (parser, "(")) {
    struct jinja_node *inside;
    if (jinja_at_operator (parser, ")"))
      inside = jinja_node_new (parser, JINJA_NODE_TUPLE);
    else
      inside = jinja_parse_tuple (parser, true);
    jinja_need_operator (parser, ")");
    return inside;
  }
  if (jinja_take_operator (parser, "["))
    return parse_items (parser, JINJA_NODE_LIST, "]");
  if (jinja_take_operator (parser, "{"))
    return parse_items (parser, JINJA_NODE_DICT, "}");
  jinja_unexpected (parser, "a value");
}

/* ---- what follows a primary ------------------------------------------------------------------------------ */

static bool at_name_assigned (const struct jinja_parser *parser)
{
  return parser->token->type == JINJA_TOKEN_NAME && parser->token[1].type == JINJA_TOKEN_OPERATOR
         && jinja_string_is (parser->token[1].text, "=");
}

/* After "(". */
static struct jinja_node *parse_arguments (struct jinja_parser *parser)
{
  struct jinja_chain arguments = { 0 };
  bool named = false;
  while (!jinja_at_operator (parser, ")")) {
    if (arguments.first) {
      jinja_need_operator (parser, ",");
      if (jinja_at_operator (parser, ")"))
        break;
    }
    struct jinja_node *argument;
    if (jinja_at_operator (parser, "*") || jinja_at_operator (parser, "**")) {
      argument = jinja_node_new (parser, JINJA_NODE_SPREAD);
      argument->twice = jinja_take_operator (parser, "**");
      if (!argument->twice)
        parser->token++;
      named = named || argument->twice;
      argument->left = jinja_parse_expression (parser, true);
    } else if (at_name_assigned (parser)) {
      argument = jinja_node_new (parser, JINJA_NODE_NAMED);
      argument->text = parser->token->text;
      parser->token += 2;
      named = true;
      argument->left = jinja_parse_expression (parser, true);
    } else {
      if (named)
        jinja_unexpected (parser, "an argument with a name");
      argument = jinja_parse_expression (parser, true);
    }
    jinja_chain_add (&arguments, argument);
  }
  jinja_need_operator (parser, ")");
  return arguments.first;
}

static struct jinja_node *parse_bound (struct jinja_parser *parser)
{
  if (jinja_at_operator (parser, ":") || jinja_at_operator (parser, "]") || jinja_at_operator (parser, ","))
    return NULL;
  return jinja_parse_expression (parser, true);
}

/* After "[". */
static struct jinja_node *parse_subscript (struct jinja_parser *parser, struct jinja_node *left)
{
  struct jinja_node *node = node_of (parser, JINJA_NODE_ITEM, left, NULL);
  struct jinja_node *first = parse_bound (parser);
  if (jinja_take_operator (parser, ":")) {
    node->type = JINJA_NODE_SLICE;
    node->first = first;
    node->second = parse_bound (parser);
    if (jinja_take_operator (parser, ":"))
      node->third = parse_bound (parser);
  } else if (!first) {
    jinja_unexpected (parser, "what to look up");
  } else if (jinja_at_operator (parser, ",")) {
    struct jinja_node *tuple = node_of (parser, JINJA_NODE_TUPLE, NULL, NULL);
    struct jinja_chain items = { 0 };
    jinja_chain_add (&items, first);
    while (jinja_take_operator (parser, ","))
      jinja_chain_add (&items, jinja_parse_expression (parser, true));
    tuple->first = items.first;
    node->right = tuple;
  } else {
    node->right = first;
  }
  jinja_need_operator (parser, "]");
  return node;
}

static struct jinja_node *parse_postfix (struct jinja_parser *parser, struct jinja_node *node)
{
  for (;;) {
    if (jinja_take_operator (parser, ".")) {
      bool number = parser->token->type == JINJA_TOKEN_CONSTANT && parser->token->value.type == JINJA_INTEGER;
      struct jinja_node *left = node;
      node = node_of (parser, number ? JINJA_NODE_ITEM : JINJA_NODE_ATTRIBUTE, left, NULL);
      if (number)
        node->right = parse_constant (parser);
      else
        node->text = jinja_need_name (parser, "a name after the dot");
    } else if (jinja_take_operator (parser, "[")) {
      node = parse_subscript (parser, node);
    } else if (jinja_take_operator (parser, "(")) {
      node = node_of (parser, JINJA_NODE_CALL, node, NULL);
      node->first = parse_arguments (parser);
    } else {
      return node;
    }
  }
}

static struct jinja_string parse_dotted (struct jinja_parser *parser, const char *what)
{
  struct jinja_string name = jinja_need_name (parser, what);
  while (jinja_take_operator (parser, ".")) {
    struct jinja_string part = jinja_need_name (parser, what);
    name.length = (size_t)(part.bytes + part.length - name.bytes);
  }
  return name;
}

struct jinja_node *jinja_parse_filter (struct jinja_parser *parser, struct jinja_node *left)
{
  struct jinja_node *node = node_of (parser, JINJA_NODE_FILTER, left, NULL);
  node->text = parse_dotted (parser, "the name of a filter");
  if (jinja_take_operator (parser, "("))
    node->first = parse_arguments (parser);
  return node;
}

struct jinja_node *jinja_parse_filters (struct jinja_parser *parser, struct jinja_node *left)
{
  while (jinja_take_operator (parser, "|"))
    left = jinja_parse_filter (parser, left);
  return left;
}

/* A test's one argument may stand without brackets: x is divisibleby 3 */
static bool at_test_argument (const struct jinja_parser *parser)
{
  static const char *const words[] = { "else", "or", "and", "if", "is", "not", "in" };
  if (parser->token->type == JINJA_TOKEN_NAME) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
      if (jinja_at_name (parser, words[i]))
        return false;
    return true;
  }
  return parser->token->type == JINJA_TOKEN_CONSTANT || jinja_at_operator (parser, "[")
         || jinja_at_operator (parser, "{");
}

static struct jinja_node *parse_test (struct jinja_parser *parser, struct jinja_node *left)
{
  struct jinja_node *node = node_of (parser, JINJA_NODE_TEST, left, NULL);
  node->negated = jinja_take_name (parser, "not");
  node->text = parse_dotted (parser, "the name of a test");
  if (jinja_take_operator (parser, "("))
    node->first = parse_arguments (parser);
  else if (at_test_argument (parser))
    node->first = parse_postfix (parser, parse_primary (parser));
  return node;
}

/* ---- operators ------------------------------------------------------------------------------------------- */

static struct jinja_node *parse_unary (struct jinja_parser *parser, bool with_filter)
{
  struct jinja_node *node;
  jinja_enter (parser->run);
  bool minus = jinja_at_operator (parser, "-");
  if (minus || jinja_at_operator (parser, "+")) {
    parser->token++;
    node = node_of (parser, JINJA_NODE_UNARY, parse_unary (parser, false), NULL);
    node->op = minus ? JINJA_NEGATE : JINJA_PLUS;
  } else {
    node = parse_primary (parser);
  }
  node = parse_postfix (parser, node);
  while (with_filter) {
    if (jinja_at_operator (parser, "|"))
      node = jinja_parse_filters (parser, node);
    else if (jinja_take_name (parser, "is"))
      node = parse_test (parser, node);
    else if (jinja_at_operator (parser, "("))
      node = parse_postfix (parser, node);
    else
      break;
  }
  jinja_leave (parser->run);
  return node;
}

/* From the loosest to the tightest; all are left-associative, ** too. */
static const struct {
  const char *sign;
  int level;
  enum jinja_operator op;
} binary_operators[] = {
  { "+", 1, JINJA_ADD },    { "-", 1, JINJA_SUBTRACT },      { "~", 2, JINJA_JOIN },   { "*", 3, JINJA_MULTIPLY },
  { "/", 3, JINJA_DIVIDE }, { "//", 3, JINJA_FLOOR_DIVIDE }, { "%", 3, JINJA_MODULO }, { "**", 4, JINJA_POWER },
};

static struct jinja_node *parse_binary (struct jinja_parser *parser, int level)
{
  struct jinja_node *left = level > 4 ? parse_unary (parser, true) : parse_binary (parser, level + 1);
  for (size_t i = 0; level <= 4 && i < sizeof binary_operators / sizeof *binary_operators;) {
    if (binary_operators[i].level != level || !jinja_take_operator (parser, binary_operators[i].sign)) {
      i++;
      continue;
    }
    left = node_of (parser, JINJA_NODE_BINARY, left, NULL);
    left->op = binary_operators[i].op;
    left->right = parse_binary (parser, level + 1);
    i = 0;
  }
  return left;
}

static bool take_comparison (struct jinja_parser *parser, enum jinja_operator *op)
{
  static const struct {
    const char *sign;
    enum jinja_operator op;
  } comparisons[] = {
    { "==", JINJA_EQUAL },         { "!=", JINJA_NOT_EQUAL }, { "<=", JINJA_LESS_EQUAL },
    { ">=", JINJA_GREATER_EQUAL }, { "<", JINJA_LESS },       { ">", JINJA_GREATER },
  };
  for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
    if (jinja_take_operator (parser, comparisons[i].sign)) {
      *op = comparisons[i].op;
      return true;
    }
  if (jinja_take_name (parser, "in")) {
    *op = JINJA_IN;
    return true;
  }
  if (jinja_at_name (parser, "not") && parser->token[1].type == JINJA_TOKEN_NAME
      && jinja_string_is (parser->token[1].text, "in")) {
    parser->token += 2;
    *op = JINJA_NOT_IN;
    return true;
  }
  return false;
}

static struct jinja_node *parse_comparison (struct jinja_parser *parser)
{
  struct jinja_node *left = parse_binary (parser, 1);
  struct jinja_chain operands = { 0 };
  enum jinja_operator op;
  while (take_comparison (parser, &op)) {
    struct jinja_node *operand = jinja_node_new (parser, JINJA_NODE_OPERAND);
    operand->op = op;
    operand->left = parse_binary (parser, 1);
    jinja_chain_add (&operands, operand);
  }
  if (!operands.first)
    return left;
  struct jinja_node *node = node_of (parser, JINJA_NODE_COMPARE, left, NULL);
  node->first = operands.first;
  return node;
}

static struct jinja_node *parse_not (struct jinja_parser *parser)
{
  if (!jinja_take_name (parser, "not"))
    return parse_comparison (parser);
  jinja_enter (parser->run);
  struct jinja_node *node = node_of (parser, JINJA_NODE_UNARY, parse_not (parser), NULL);
  node->op = JINJA_NOT;
  jinja_leave (parser->run);
  return node;
}

static struct jinja_node *parse_and (struct jinja_parser *parser)
{
  struct jinja_node *left = parse_not (parser);
  while (jinja_take_name (parser, "and"))
    left = node_of (parser, JINJA_NODE_AND, left, parse_not (parser));
  return left;
}

static struct jinja_node *parse_or (struct jinja_parser *parser)
{
  struct jinja_node *left = parse_and (parser);
  while (jinja_take_name (parser, "or"))
    left = node_of (parser, JINJA_NODE_OR, left, parse_and (parser));
  return left;
}

struct jinja_node *jinja_parse_expression (struct jinja_parser *parser, bool with_condition)
{
  jinja_enter (parser->run);
  struct jinja_node *node = parse_or (parser);
  while (with_condition && jinja_take_name (parser, "if")) {
    struct jinja_node *condition = node_of (parser, JINJA_NODE_CONDITION, parse_or (parser), NULL);
    condition->first = node;
    if (jinja_take_name (parser, "else"))
      condition->second = jinja_parse_expression (parser, true);
    node = condition;
  }
  jinja_leave (parser->run);
  return node;
}

/* Where an expression cannot go on: the end of a tag, a closing bracket, "in" … */
static bool at_end (const struct jinja_parser *parser)
{
  return parser->token->type == JINJA_TOKEN_VARIABLE_END || parser->token->type == JINJA_TOKEN_BLOCK_END
         || jinja_at_operator (parser, ")") || jinja_at_operator (parser, "=") || jinja_at_name (parser, "in")
         || jinja_at_name (parser, "if") || jinja_at_name (parser, "recursive");
}

struct jinja_node *jinja_parse_tuple (struct jinja_parser *parser, bool with_condition)
{
  struct jinja_node *first = jinja_parse_expression (parser, with_condition);
  if (!jinja_at_operator (parser, ","))
    return first;
  struct jinja_node *tuple = node_of (parser, JINJA_NODE_TUPLE, NULL, NULL);
  struct jinja_chain items = { 0 };
  jinja_chain_add (&items, first);
  while (jinja_take_operator (parser, ",") && !at_end (parser))
    jinja_chain_add (&items, jinja_parse_expression (parser, with_condition));
  tuple->first = items.first;
  return tuple;
}

static struct jinja_node *parse_one_target (struct jinja_parser *parser, bool with_attribute)
{
  if (jinja_take_operator (parser, "(")) {
    jinja_enter (parser->run);
    struct jinja_node *inside = jinja_parse_target (parser, false);
    jinja_leave (parser->run);
    jinja_need_operator (parser, ")");
    return inside;
  }
  if (parser->token->type != JINJA_TOKEN_NAME)
    jinja_unexpected (parser, "the name of a variable");
  struct jinja_node *name = parse_name (parser);
  if (name->type != JINJA_NODE_NAME)
    jinja_fail (parser->run, "“%.*s” cannot be set.", (int)name->text.length, name->text.bytes);
  if (!with_attribute || !jinja_take_operator (parser, "."))
    return name;
  struct jinja_node *node = node_of (parser, JINJA_NODE_ATTRIBUTE, name, NULL);
  node->text = jinja_need_name (parser, "a name after the dot");
  return node;
}

struct jinja_node *jinja_parse_target (struct jinja_parser *parser, bool with_attribute)
{
  struct jinja_node *first = parse_one_target (parser, with_attribute);
  if (!jinja_at_operator (parser, ","))
    return first;
  struct jinja_node *tuple = node_of (parser, JINJA_NODE_TUPLE, NULL, NULL);
  struct jinja_chain items = { 0 };
  jinja_chain_add (&items, first);
  while (jinja_take_operator (parser, ",") && !at_end (parser))
    jinja_chain_add (&items, parse_one_target (parser, with_attribute));
  tuple->first = items.first;
  return tuple;
}
