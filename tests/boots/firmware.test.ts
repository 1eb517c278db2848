import { mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { chooseAccelerator } from "../../steps/programs/accelerator";
import { makeScratch } from "../../steps/frame/scratch.cjs";
import { chainFor } from "../../rehearsal/chain";
import { HARDWARE } from "../../rehearsal/hardware";
import { discover } from "../../rehearsal/network/dhcp";
import { Link } from "../../rehearsal/network/link";
import { macBytes, udpFrame } from "../../rehearsal/network/packets";
import { until } from "../../rehearsal/network/station";
import type { Hardware } from "../../rehearsal/record";
import { follow } from "../../rehearsal/course";
import { Stage } from "../../rehearsal/stage";
import { line, ofMinipc } from "../../rehearsal/view";
import { LIMIT_MS, subjectOf } from "../e2e/boot";
import { demo } from "../e2e/demo";
import { Images } from "../e2e/images";
import { BlockingPort } from "./blocking-port";

const images = new Images();
const scratch = makeScratch("rehearse");
const context = { signal: AbortSignal.timeout(LIMIT_MS), scratch, log: () => undefined };
/** Longest wait for a line of the appliance's console. */
const SAID_MS = 60_000;
const [NIC, MAC] = ["02:00:5e:00:53:11", demo.minipcMac];

/** One appliance for all. */
let stage: Stage;
beforeAll(async () => {
  const assembly = await images.make(() => undefined);
  const accelerator = await chooseAccelerator(context, "auto");
  const folder = mkdtempSync(join(dirname(assembly.path), "evidence-"));
  stage = await new Stage("", await subjectOf(assembly), accelerator, folder, scratch, context.signal).open();
  stage.startAppliance(HARDWARE.appliance);
  const appliance = chainFor(stage.view.expected).filter(({ side }) => side === "appliance");
  expect(await follow(context, stage, appliance, () => undefined)).toBeUndefined();
});
afterAll(async () => {
  await stage?.clear();
  rmSync(scratch, { recursive: true, force: true });
  images.remove();
});

const saysInTime = (words: RegExp) => until(stage.site, () => line(stage.view, "appliance", words), SAID_MS);

/** A DHCPv6 solicit (RFC 9915): without its checksum, which nobody checks who does not answer. */
function solicit(): Buffer {
  const group = "ff020000000000000000000000010002";
  const own = "fe800000000000000000000000000001";
  const header = Buffer.from(`6000000000101101${own}${group}`, "hex");
  const message = Buffer.from("0222022300100000" + "0112345600080000", "hex");
  return Buffer.concat([
    ...[macBytes("33:33:00:01:00:02"), macBytes(MAC), Buffer.from("86dd", "hex")],
    ...[header, message],
  ]);
}

test("a firmware that asks by IPv6, or a ProxyDHCP server, is named on the console", async () => {
  const { isolated, applianceIp } = stage.site;
  isolated.send(solicit());
  expect(await saysInTime(new RegExp(`dhcp: DHCPv6 question from ${MAC}: only IPv4`))).toBeDefined();
  const route = { fromMac: MAC, toMac: NIC, from: demo.minipcIp, to: applianceIp };
  isolated.send(udpFrame(route, 68, 4011, discover(MAC)));
  expect(await saysInTime(new RegExp(`dhcp: question to port 4011 from ${MAC}: `))).toBeDefined();
});

interface Row {
  hardware: Hardware;
  /** How long the port blocks. */
  blocksS: number;
  file: string;
}

const ROWS: Record<string, Row> = {
  // A BIOS has its PXE in the NIC's ROM, which QEMU has for this one.
  "BIOS, and a port that blocks for 30 s": {
    hardware: { firmware: "bios", nic: "e1000" },
    blocksS: 30,
    file: "undionly.kpxe",
  },
  "UEFI, and a port that blocks for 60 s": { hardware: HARDWARE.minipc, blocksS: 60, file: "snponly.efi" },
};

test.each(Object.entries(ROWS))(
  "iPXE has boot.ipxe although nothing passes when it opens the NIC again: %s",
  async (_what, { hardware, blocksS, file }) => {
    const link = await new Link("isolated", join(scratch, `${file}.sock`)).open();
    try {
      const loaded = () => ofMinipc(stage.view, "tftp").some(({ state }) => state === "sent");
      const silent = new RegExp(`iPXE was handed over \\(${file}\\) and is silent: `);
      const isNoticed = () => line(stage.view, "appliance", silent) !== undefined;
      const port = new BlockingPort(stage.site.isolated, link, MAC, loaded, blocksS * 1000, isNoticed);
      stage.startMinipc(hardware, link);
      const minipc = chainFor(stage.view.expected).filter(({ side }) => side === "minipc");
      const upToScript = minipc.slice(0, minipc.findIndex(({ id }) => id === "script") + 1);
      const evidence: Record<string, string> = {};
      const broken = await follow(context, stage, upToScript, ({ id }, sign) => {
        evidence[id] = sign.evidence;
      });
      expect(broken).toBeUndefined();
      expect(evidence.loader).toMatch(`TFTP: ${file}, `);
      expect(port.dropped).toBeGreaterThan(0);
      expect(isNoticed()).toBe(true);
      // iPXE did not give up, and nothing restarted.
      expect(ofMinipc(stage.view, "tftp").filter(({ state }) => state === "sent")).toHaveLength(1);
    } finally {
      await stage.forgetMinipc();
      await link.close();
    }
  },
);
