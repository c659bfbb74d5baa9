#include "command/operand.h"

#include <stdio.h>
#include <stdlib.h>

#include "command/verb.h"

static int
do_input(operand_use *what, void *arg)
{
	int status = EXIT_FINE;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;

	while ((len = getline(&line, &size, stdin)) != -1) {
		struct slice text = slice_make(line, (size_t)len);
		int one;

		if (text.len > 0 && text.p[text.len - 1] == '\n')
			text.len--;
		one = what(arg, text);
		status = one > status ? one : status;
	}
	if (ferror(stdin) || !feof(stdin))
		status = EXIT_TROUBLE;
	free(line);
	return status;
}

int
operand_do(const char *text, operand_use *what, void *arg)
{
	return strcmp(text, "-") == 0 ? do_input(what, arg) : what(arg, slice_str(text));
}
