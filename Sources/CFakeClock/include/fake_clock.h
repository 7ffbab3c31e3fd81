/* Moves the wall clock of a process that this library is preloaded into.
 *
 * FAKE_CLOCK names a file of eight bytes: the seconds, in this machine's byte order, that are added to the true time. The file
 * is mapped, so that a change takes effect at once. Clocks that count from the start of the machine, and all timers, are left
 * alone, as they are when a real clock jumps.
 *
 * Nothing is called by name: the functions take the place of those of the C library. */
