#ifndef REELWRIGHT_DURABILITYSHIM_H
#define REELWRIGHT_DURABILITYSHIM_H

/// From now on every write, truncation, flush and change of a name by this process, libraries included, is appended to
/// the file `path` in the order in which it took effect. Threads are held one after another while they do it.
int durability_record(const char *path);

/// Appends a mark: what has been acknowledged up to here.
void durability_mark(const char *text);

#endif
