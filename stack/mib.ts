/** Bytes of a mebibyte. */
export const MIB = 1 << 20;
