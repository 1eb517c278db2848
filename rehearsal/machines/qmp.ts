import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";

interface Reply {
  return?: unknown;
  error?: { desc: string };
  event?: string;
  QMP?: unknown;
}

/** QEMU's monitor, one command after the other (QEMU, docs/interop/qmp-spec). */
export class Monitor {
  private readonly socket: Socket;
  private readonly waiting: ((reply: Reply) => void)[] = [];

  constructor(path: string) {
    this.socket = connect(path);
    // A machine that ends leaves its last command unanswered.
    this.socket.on("error", () => this.giveUp());
    this.socket.on("close", () => this.giveUp());
    const lines = createInterface({ input: this.socket });
    // It hands on the socket's errors, which would end this process.
    lines.on("error", () => undefined);
    lines.on("line", (line) => this.hear(line));
  }

  async open(): Promise<this> {
    await once(this.socket, "connect");
    await this.ask("qmp_capabilities");
    return this;
  }

  private hear(line: string): void {
    let reply: Reply;
    try {
      reply = JSON.parse(line) as Reply;
    } catch {
      // A machine that is killed may be in the middle of a line.
      return this.giveUp();
    }
    if (reply.event === undefined && !reply.QMP) this.waiting.shift()?.(reply);
  }

  private giveUp(): void {
    for (const answer of this.waiting.splice(0)) answer({ error: { desc: "the machine has ended" } });
  }

  private async ask(execute: string, args: object = {}): Promise<void> {
    const reply = await new Promise<Reply>((resolve) => {
      this.waiting.push(resolve);
      this.socket.write(JSON.stringify({ execute, arguments: args }), (fault) => fault && this.giveUp());
    });
    if (reply.error) throw new Error(`QEMU, ${execute}: ${reply.error.desc}`);
  }

  /** Writes a picture of the screen, as PNG. */
  async screendump(path: string): Promise<void> {
    await this.ask("screendump", { filename: path, format: "png" });
  }

  /** Plugs a NIC's cable in or out. @param name of its netdev */
  async setLink(name: string, up: boolean): Promise<void> {
    await this.ask("set_link", { name, up });
  }

  /** Presses the reset button. */
  async reset(): Promise<void> {
    await this.ask("system_reset");
  }

  close(): void {
    this.socket.destroy();
  }
}
