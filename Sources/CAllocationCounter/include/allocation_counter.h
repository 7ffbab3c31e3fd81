/* Counts the allocations of a process that this library is preloaded into.
 *
 * ALLOCATION_COUNTER names a file of eight bytes that is mapped: the number so far, in this machine's byte order.
 *
 * Nothing is called by name: the functions take the place of those of the C library. */
