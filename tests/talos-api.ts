import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import execa, { type ExecaChildProcess, type ExecaError } from "execa";
import { judgedByStatus } from "../steps/programs/process";
import { toolEnvironment } from "./tools";

/** An address of loopback that no other test has: port 50000 is free there. */
export const loopbackAddress = () => `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(1, 255)}`;

/** A Talos machine as far as its API shows it: tools/go/talos-config/talos-api says what its options are. */
export class TalosApi {
  /** What it was asked for and did, a line each. */
  readonly lines: string[] = [];

  private constructor(
    readonly address: string,
    private readonly child: ExecaChildProcess,
  ) {}

  /**
   * @param controlPlane plain machine config of a control plane, whose authority signs the certificates
   * @param address of loopback
   */
  static async start(
    controlPlane: string,
    options: string[] = [],
    { address = loopbackAddress(), minor = "1.11" } = {},
  ): Promise<TalosApi> {
    const args = ["--listen", `${address}:50000`, ...options];
    const child = judgedByStatus(
      execa(`talos-api-${minor}`, args, { input: controlPlane, env: toolEnvironment, reject: false }),
    );
    const api = new TalosApi(address, child);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    lines.on("line", (line) => api.lines.push(line));
    const ended = child.then(({ stderr, ...result }) => {
      // Of a program that did not start, execa alone says why.
      throw new Error(stderr || (result as ExecaError).shortMessage);
    });
    await Promise.race([once(lines, "line"), ended]);
    ended.catch(() => undefined);
    return api;
  }

  /** How often it was asked for something. */
  count(line: string): number {
    return this.lines.filter((each) => each === line).length;
  }

  async stop(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.child;
  }
}
