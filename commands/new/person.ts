import { once } from "node:events";
import { createInterface } from "node:readline";
import type { StepContext } from "../../steps/frame/context";
import { StepError } from "../../steps/frame/step-error";

/** A person at a terminal who can be asked. Lines that were typed ahead, or pasted, answer the next questions. */
export class Person {
  readonly #output;
  readonly #terminal;
  readonly #lines;
  readonly #stopped: Promise<never>;

  /** @param context aborted when the person stops it */
  constructor(
    { signal }: Pick<StepContext, "signal">,
    input: NodeJS.ReadableStream = process.stdin,
    output: NodeJS.WritableStream = process.stderr,
  ) {
    this.#output = output;
    this.#terminal = createInterface({ input, output });
    this.#lines = this.#terminal[Symbol.asyncIterator]();
    // The terminal is in raw mode: its Ctrl-C is no signal.
    this.#terminal.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
    this.#stopped = once(signal, "abort").then(() => {
      throw signal.reason;
    });
    this.#stopped.catch(() => undefined);
  }

  /**
   * @returns the answer; an empty one is the fallback
   * @throws StepError when the terminal is closed
   */
  async ask(text: string, fallback = ""): Promise<string> {
    this.#terminal.setPrompt(`${text}${fallback && ` [${fallback}]`}: `);
    this.#terminal.prompt();
    try {
      const line = await Promise.race([this.#lines.next(), this.#stopped]);
      if (!line.done) return line.value.trim() || fallback;
      throw new StepError("asking on the terminal", "it was closed", "Nothing was made");
    } catch (fault) {
      // The question's line is still open.
      this.#output.write("\n");
      throw fault;
    }
  }

  leave(): void {
    this.#terminal.close();
  }
}
