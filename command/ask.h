/* ask.h - asks the person at the terminal for a password. */
#ifndef COMMAND_ASK_H
#define COMMAND_ASK_H

#include <stddef.h>

/* The password of the key FILE into OUT of SIZE bytes, without echo.  -1 when there is nobody to ask: no terminal. */
int ask_password(const char *file, char *out, size_t size);

#endif
