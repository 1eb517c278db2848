import { mmdebstrapsWords } from "../../demo/base/mmdebstrap-words";
import { phaseOf, reasonIn } from "../../steps/programs/packer-words";
import { figure, reportProgress, SHOWN_FIRST, stillAt, withHeartbeat } from "../../steps/frame/progress";
import { chainLines, waitingFor } from "../../rehearsal/course";
import { MIB } from "../../stack/mib";

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** What is told while work goes on for some seconds, a look every tenth of one. */
function told(doneAfter: (tenths: number) => number, seconds: number, total?: number): string[] {
  const lines: string[] = [];
  let tenths = 0;
  const stop = reportProgress({ log: (line) => lines.push(line) }, "of it", () => doneAfter(tenths), total);
  for (; tenths < 10 * seconds; tenths++) jest.advanceTimersByTime(100);
  stop();
  jest.advanceTimersByTime(60_000);
  return lines;
}

/** Lines that a person sees one after the other where Pulumi's table has little room. */
const asSeen = (lines: string[]) => lines.map((line) => line.slice(0, SHOWN_FIRST));

describe("a figure", () => {
  test("is shown every two seconds while it moves, and not after the end", () => {
    expect(told((tenths) => tenths * MIB, 6, 400 * MIB)).toEqual([
      "4 %, 19 of 400 MiB of it",
      "9 %, 39 of 400 MiB of it",
      "14 %, 59 of 400 MiB of it",
    ]);
  });

  test("without a total shows what is done so far", () => {
    expect(told((tenths) => tenths * MIB, 4)).toEqual(["19 MiB of it", "39 MiB of it"]);
  });

  test("is not shown before there is one, or twice while it looks the same", () => {
    expect(told(() => 0, 9, MIB)).toEqual([]);
    expect(told((tenths) => 500 * MIB + 100 * tenths, 60)).toEqual(["500 MiB of it"]);
  });
});

describe("a heartbeat", () => {
  /** Says lines at these seconds, for a minute; returns all that was written. */
  function written(said: Record<number, string>): string[] {
    const lines: string[] = [];
    const { log, end } = withHeartbeat((line) => lines.push(line), "at work");
    for (let second = 0; second < 60; second++) {
      const line = said[second];
      if (line) log(line);
      jest.advanceTimersByTime(1000);
    }
    end();
    jest.advanceTimersByTime(60_000);
    return lines;
  }

  test("repeats the last line, with the time since it was new in front of it", () => {
    expect(written({ 2: "shrinking", 35: "checking", 44: "checked" })).toEqual([
      "shrinking",
      "10 s: shrinking",
      "20 s: shrinking",
      "30 s: shrinking",
      "checking",
      "checked",
      "10 s: checked",
    ]);
  });

  test("also speaks before anything else was said, and never while lines come", () => {
    expect(written({})[0]).toBe("10 s: at work");
    const busy = Object.fromEntries(Array.from({ length: 60 }, (_, second) => [second, `line ${second}`]));
    expect(written(busy)).toHaveLength(60);
  });
});

describe("what varies in a line is among the characters that a table of 80 columns shows", () => {
  const numbers = Array.from({ length: 13 }, (_, index) => index + 1);
  const reached = { title: "t", evidence: "e", atMs: 1 };

  test.each([
    ["a share", [1, 2, 16, 55, 99].map((share) => `${figure(share * MIB, 100 * MIB)} of it`)],
    ["an amount that grows by a tenth", [1, 9, 57, 63, 301, 340, 1430, 1580].map((mib) => figure(mib * MIB))],
    ["a milestone that was reached", numbers.map((number) => chainLines(number, 13, reached)[0] ?? "")],
    ["a milestone that is waited for", numbers.map((number) => waitingFor(number, 13, "it serves"))],
    [
      "a milestone of the twin",
      [1, 2, 3].map((number) => waitingFor(number, 3, "it serves", " on the twin")),
    ],
  ])("%s", (_what, lines) => {
    expect(new Set(asSeen(lines)).size).toBe(lines.length);
  });

  test("a line that stays, at each beat", () => {
    const lines: string[] = [];
    const { end } = withHeartbeat((line) => lines.push(line), "the guest boots, until ssh answers");
    jest.advanceTimersByTime(600_000);
    end();
    const seen = asSeen(lines);
    expect(seen).toHaveLength(60);
    expect(seen.filter((shown, index) => shown === seen[index - 1])).toEqual([]);
  });

  test.each([
    [waitingFor(2, 13, "it serves"), "2/13, 20 s: next: it serves"],
    [`${figure(57 * MIB)} written; the guest boots`, "57 MiB, 20 s: written; the guest boots"],
    [`${figure(12 * MIB, 100 * MIB)} of it`, "12 %, 20 s: 12 of 100 MiB of it"],
    ["12 files are checked", "20 s: 12 files are checked"],
  ])("a figure stays first while it is said again: %s", (line, again) => {
    expect(stillAt(20, line)).toBe(again);
  });
});

test("a milestone is shown with its time and its sign, and then the one that is waited for", () => {
  const reached = { title: "the appliance has its address", evidence: "ARP: 10.10.10.2", atMs: 36_240 };
  expect(chainLines(2, 13, reached, "it serves")).toEqual([
    "2/13 at 36.2 s: the appliance has its address: ARP: 10.10.10.2",
    "3/13 next: it serves",
  ]);
  expect(chainLines(13, 13, reached)).toHaveLength(1);
});

test.each([
  [
    "2026-11-25T20:44:40Z: ==> qemu.cloud-image: Copying hard drive...",
    "the source goes to the guest's disk",
  ],
  [
    "2026-11-25T20:44:53Z: ==> qemu.cloud-image: Waiting for SSH to become available...",
    "the guest boots, until ssh answers",
  ],
  [
    "2026-11-25T20:45:59Z: ==> qemu.cloud-image: Provisioning with shell script: /x/packer/provision/10-packages.sh",
    "the guest runs packer/provision/10-packages.sh",
  ],
  [
    "2026-11-25T20:45:56Z: ==> qemu.cloud-image: Provisioning with shell script: /tmp/packer-shell26889628",
    undefined,
  ],
  ["2026-11-25T20:46:05Z:     qemu.cloud-image: Setting up nginx (1.22.1-9) ...", undefined],
  ["==> qemu.cloud-image: vnc://127.0.0.1:5908", undefined],
])("those of Packer's lines are shown that begin something long: %s", (line, phase) => {
  expect(phaseOf(line)).toBe(phase);
});

test("why a build failed is in the one line of Packer's that ends it", () => {
  const words =
    "Error creating hard drive: QemuImg error: qemu-img: Could not open 'x.img': Unsupported qcow2 version 16843009";
  const line = `2026-11-26T05:01:17Z: Build 'qemu.cloud-image' errored after 146 milliseconds 717 microseconds: ${words}`;
  expect(reasonIn(line)).toBe(words);
  expect(reasonIn(`2026-11-26T05:01:17Z: ==> qemu.cloud-image: ${words}`)).toBeUndefined();
});

test.each([
  ["I: downloading packages with apt...", "downloading packages with apt"],
  [
    "I: installing remaining packages inside the chroot...",
    "installing remaining packages inside the chroot",
  ],
  ["W: the keyring is old", "W: the keyring is old"],
  ["E: apt-get failed", "E: apt-get failed"],
  [
    `I: running --customize-hook in shell: sh -c 'mkdir -p "$1/boot/grub"' exec /tmp/mmdebstrap.GZ7kuNj3MY`,
    undefined,
  ],
  ["I: automatically chosen format: tar", undefined],
  ["I: success in 134.9680 seconds", undefined],
])("those of mmdebstrap's lines are shown that say what takes long, or what is wrong: %s", (line, told) => {
  expect(mmdebstrapsWords(line)).toBe(told);
});
