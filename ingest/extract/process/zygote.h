/* zygote.h: the process that is started once, stays clean, and forks a child for each document. It never looks at a
 * document's bytes itself. Single-threaded. */
#ifndef LECTERN_EXTRACT_ZYGOTE_H
#define LECTERN_EXTRACT_ZYGOTE_H

#include "ingest/reader/frame.h"

/* Runs in the child, locked up (sandbox.h), with nothing open but the two descriptors and 0 to 2; returns its exit status. */
typedef int (*ZygoteChild) (const Request *request, int document_fd, int answer_fd);

/* Locks this process up as far as its own work allows, so everything must be loaded by now. Serves requests until the other end hangs up. Returns the exit status of the program. */
int zygote_serve (int socket_fd, ZygoteChild child);

#endif
