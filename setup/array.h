/* array.h - arrays that grow by one: for what is few. */
#ifndef SETUP_ARRAY_H
#define SETUP_ARRAY_H

#include <stdlib.h>
#include <string.h>

/* One more element of SIZE bytes, zeroed, behind the *N of the array at the pointer ARRAY.  NULL without memory: the array is then
 * as it was. */
static inline void *
array_add(void *array, size_t *n, size_t size)
{
	void **v = array;
	char *p = realloc(*v, (*n + 1) * size);

	if (p == NULL)
		return NULL;
	*v = p;
	return memset(p + (*n)++ * size, 0, size);
}

#endif
