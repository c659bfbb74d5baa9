#include "command/ask.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <openssl/evp.h>

enum { PROMPT_MAX = 512 };

int
ask_password(const char *file, char *out, size_t size)
{
	char prompt[PROMPT_MAX];
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	/* Without one OpenSSL would read standard input. */
	if (terminal == -1)
		return -1;
	close(terminal);
	snprintf(prompt, sizeof(prompt), "Password of %s: ", file);
	return EVP_read_pw_string(out, (int)size, prompt, 0) == 0 ? 0 : -1;
}
