/* count.h - how many elements an array has that is one, and no pointer. */
#ifndef BASE_COUNT_H
#define BASE_COUNT_H

#define COUNT(a)	(sizeof(a) / sizeof(*(a)))

#endif
