#include "engine/error.h"
#include <stdarg.h>
#include <stdio.h>

int engine_error_set (struct engine_error *error, enum engine_status status, const char *format, ...)
{
  if (error) {
    va_list arguments;
    va_start (arguments, format);
    error->status = status;
    vsnprintf (error->message, sizeof error->message, format, arguments);
    va_end (arguments);
  }
  return status;
}
