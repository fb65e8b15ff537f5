/* lora.h: --lora FILE[:SCALE]. */
#ifndef LECTERN_LORA_H
#define LECTERN_LORA_H

#include "engine/engine.h"
#include <gio/gio.h>

#define LORA_OPTION                                                                                                    \
  {                                                                                                                    \
    0, "lora", OPTION_TEXT, "FILE[:SCALE]", 0, 0, "apply this adapter (default: 1); may be given several times", FALSE \
  }

/* The path in `text`, and after its last colon the scale if a number stands there (else 1). */
char *lora_split (const char *text, float *scale);

/* Opens the adapters that texts[0, n) name and applies them to the session. They are in the array, which must outlive the
 * session; NULL and an error otherwise. */
GPtrArray *lora_apply (const struct engine_model *model, struct engine_session *session, const char *const *texts,
                       guint n, GError **error);

#endif
