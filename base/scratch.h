/* scratch.h - a folder for what one call writes and nobody else needs, which is gone afterwards: also when the process was killed.
 *
 *	TMP/firebreak-KIND-XXXXXX	0700, and locked (flock(2)) as long as the process that made it lives
 *
 * The kernel ends a lock however a process ends.  So who makes a folder first removes those of its kind that this user made and
 * nobody has locked.  A process id in the name would not tell that: numbers come again, and a container that shares TMP has others.
 * systemd-tmpfiles(8) leaves alone what is locked, too.
 *
 * Nothing of another user is removed or locked, nor what another one may have written to, and no symbolic link is followed.  Where
 * folders cannot be locked nothing is cleaned. */
#ifndef BASE_SCRATCH_H
#define BASE_SCRATCH_H

/* PATH is NULL where there is none. */
struct scratch {
	char	*path;
	int	 fd;		/* the folder, and the lock */
};

/* Make S in the folder TMP, of KIND, a word that no other use has.  Whoever was killed before leaves TMP as if it had ended well;
 * that is bounded: 64 Ki names are looked at and 16 folders removed, the rest next time.  -1 with errno; S is then none. */
int scratch_make(struct scratch *s, const char *tmp, const char *kind);

/* Remove the folder with all that is in it, up to eight folders deep.  Fine when S is none, as it is afterwards. */
void scratch_remove(struct scratch *s);

#endif
