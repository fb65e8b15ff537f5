/* valve.c: opens and
 * closes a valve. */
#include <stdio.h>

int open_valve (void)
{
  return 1;
}

int close_valve (void)
{

  return 0;
}
