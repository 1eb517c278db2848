/** What unshare(1) is given for mounts of the process's own; in a chroot / is no mount point, and it must not make it private. */
export const OWN_MOUNTS = [
  ...["--mount", "--propagation", "unchanged"],
  ...(process.getuid?.() === 0 ? [] : ["--map-root-user"]),
];

/** What a shell script in them does before it mounts anything, so that nothing of it is seen outside. */
export const KEEP_MOUNTS = "mount --make-rprivate / 2>/dev/null || :;";
