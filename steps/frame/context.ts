export interface StepContext {
  /** Aborted by SIGINT, SIGTERM or SIGHUP; every child process of a step listens to it. */
  signal: AbortSignal;
  /** A private folder (0700), in memory where the system has such a place; gone when the step ends. */
  scratch: string;
  /** One line for the person who waits, on stderr; what varies in it comes first, since Pulumi's table cuts lines. */
  log(line: string): void;
}
