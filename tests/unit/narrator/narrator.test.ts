import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tool, TOP } from "../../tools";

const journal = readFileSync(join(__dirname, "journal.txt"), "utf8");
const EVENTS = join(TOP, "packer/appliance/events.awk");

/** What the console says of a journal, without the seconds. */
async function told(lines: string): Promise<string[]> {
  const flags = ["-v", "own=10.10.10.2", "-v", "as=sentences"];
  const said = await tool("busybox", ["awk", ...flags, "-f", EVENTS], lines);
  return said.split("\n").map((line) => line.replace(/^\d+ /, ""));
}

test("the console says what a mini-PC asked for and got, and how the services are, from the journal", async () => {
  expect(await told(journal)).toMatchSnapshot();
});

test("a clock that time servers correct is reported", async () => {
  const line = "1795460464.1 chronyd[431]: System clock wrong by -413423999.651234 seconds\n";
  expect(await told(line)).toEqual(["time: the clock was wrong by -413423999.651234 seconds"]);
});

test("control characters that a client sends do not reach a console", async () => {
  const request = '"GET /\u001b[2Jx HTTP/1.1" 404 153 "-" "x"';
  const line = `1795460464.1 nginx[424]: 10.10.10.100 - - [23/Nov/2026:19:00:44 +0000] ${request}\n`;
  expect(await told(line)).toEqual(["http: GET /?[2Jx 404 to 10.10.10.100, 153 bytes"]);
});

test("a query, which may hold a secret, is left out", async () => {
  const request = '"GET /boot.ipxe?token=SECRET HTTP/1.1" 200 1 "-" "x"';
  const line = `1795460464.1 nginx[424]: 10.10.10.100 - - [23/Nov/2026:19:00:44 +0000] ${request}\n`;
  expect(await told(line)).toEqual(["http: GET /boot.ipxe 200 to 10.10.10.100, 1 bytes"]);
});

test.each([
  ["OK", "http: GET /talos/v1/vmlinuz 200 to 10.10.10.100, 70 bytes"],
  ["", "http: GET /talos/v1/vmlinuz 200 to 10.10.10.100, 70 bytes, cut off"],
])("a file that was not sent to its end is not told like one that was: complete=%s", async (is, words) => {
  const request = `"GET /talos/v1/vmlinuz HTTP/1.1" 200 70 "-" "complete=" complete=${is}`;
  const line = `1795460464.1 nginx[424]: 10.10.10.100 - - [23/Nov/2026:19:00:44 +0000] ${request}\n`;
  expect(await told(line)).toEqual([words]);
});

test.each([
  [
    547,
    "dhcp: DHCPv6 question from 52:54:00:12:34:56: only IPv4 is served; choose network boot by IPv4 in its firmware",
  ],
  [
    4011,
    "dhcp: question to port 4011 from 52:54:00:12:34:56: its firmware wants a ProxyDHCP server, and there is none; choose another network boot in it",
  ],
])("a question to port %d, which nothing here answers, is named", async (port, words) => {
  const mac = "33:33:00:01:00:02:52:54:00:12:34:56:86:dd";
  const line = `1795460464.1 kernel: bootstrap-pxe not served: IN=isolated OUT= MAC=${mac} SRC=fe80::1 DST=ff02::1:2 LEN=120 PROTO=UDP SPT=546 DPT=${port} LEN=80\n`;
  expect(await told(`1795460464.0 kernel: device isolated entered promiscuous mode\n${line}`)).toEqual([
    words,
  ]);
});

test("a script that iPXE may have beside it is not missed", async () => {
  const missing = (file: string) =>
    `1795460464.1 dnsmasq[9]: dnsmasq-tftp[9]: file /srv/tftp/${file} not found for 10.10.10.100\n`;
  expect(await told(missing("autoexec.ipxe") + missing("nix.efi"))).toEqual([
    "tftp: file nix.efi not found for 10.10.10.100",
  ]);
});

describe("of the images' registry the console says", () => {
  const digest = `sha256:0104bb533a20${"4".repeat(52)}`;
  const asked = (second: number, target: string, status = 200, method = "GET") =>
    `179546${second}.1 nginx[9]: 10.10.10.100 - - [23/Nov/2026:19:00:44 +0000] "${method} ${target} HTTP/1.1" ${status} 12 "-" "containerd"\n`;
  const kubelet = "/v2/ghcr.io/siderolabs/kubelet";

  test("a pull once, by its tag, whatever follows of it", async () => {
    const pull = [
      asked(4000, "/v2/"),
      asked(4001, `${kubelet}/manifests/v1.34.1?ns=ghcr.io`, 200, "HEAD"),
      asked(4002, `${kubelet}/manifests/${digest}?ns=ghcr.io`),
      asked(4003, `${kubelet}/blobs/${digest}?ns=ghcr.io`),
      asked(4004, `${kubelet}/blobs/${digest}?ns=ghcr.io`, 206),
    ];
    expect(await told(pull.join(""))).toEqual(["images: ghcr.io/siderolabs/kubelet:v1.34.1 to 10.10.10.100"]);
  });

  test("a pull by digest, and the registry that the question alone names", async () => {
    const named = ["", "127.0.0.1:5001/", "127.0.0.1_5001/"].map((host) =>
      asked(4000, `/v2/${host}siderolabs/kubelet/manifests/${digest}?ns=127.0.0.1%3A5001`),
    );
    const words = "images: 127.0.0.1:5001/siderolabs/kubelet@sha256:0104bb533a20 to 10.10.10.100";
    expect(await told(named.join(""))).toEqual([words, words, words]);
  });

  test.each([
    [
      `${kubelet}/manifests/v9?ns=ghcr.io`,
      404,
      "ghcr.io/siderolabs/kubelet:v9 is not on this appliance; 10.10.10.100 asked for it",
    ],
    [
      `${kubelet}/blobs/${digest}`,
      404,
      `a part of ghcr.io/siderolabs/kubelet, ${digest}, is not on this appliance; 10.10.10.100 asked for it`,
    ],
    [
      `${kubelet}/manifests/v1.34.1`,
      500,
      "ghcr.io/siderolabs/kubelet:v1.34.1 could not be read (500): journalctl -u bootstrap-registry says why",
    ],
    [`${kubelet}/manifests/v1`, 403, "ghcr.io/siderolabs/kubelet:v1 was refused to 10.10.10.100 (403)"],
  ])("what it does not give, by name: %s %d", async (target, status, words) => {
    expect(await told(asked(4000, target, status))).toEqual([`images: ${words}`]);
  });
});
