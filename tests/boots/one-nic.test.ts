import { readFileSync } from "node:fs";
import { join } from "node:path";
import { HARDWARE } from "../../rehearsal/hardware";
import type { Rehearsal } from "../../rehearsal/course";
import { boot } from "../e2e/boot";
import { edit, Images } from "../e2e/images";
import { CHAIN, expectOrder, ordered } from "../e2e/whole-chain";

const images = new Images();
afterAll(() => images.remove());

test("SeaBIOS, virtio, one NIC: it is the isolated one, and nothing is asked of an uplink; the mini-PC has SeaBIOS and an e1000e, whose ROM is iPXE, its time before the config, and no serial console: the link tells what starts", async () => {
  const order = ["time", "config"];
  const silent = await ordered(images, order, (each) => edit(each, "boot.ipxe", " ${serial-console}", ""));
  const minipc: Rehearsal["hardware"]["minipc"] = { firmware: "bios", nic: "e1000e" };
  const { record, folder } = await boot(
    silent,
    { hardware: { appliance: HARDWARE.appliance, minipc } },
    { hasUplink: false, hasSerialConsole: false },
  );
  expect(record.diagnosis).toBeUndefined();
  expect(record.reached.map(({ id }) => id).sort()).toEqual(CHAIN.filter((id) => id !== "accepted").sort());
  expectOrder(record, order);
  expect(record.reached.find(({ id }) => id === "loader")?.evidence).toMatch(/its NIC's ROM is iPXE/);
  const byTftp = record.exchanges.filter(({ from, what }) => from === "minipc" && what.startsWith("TFTP:"));
  expect(byTftp).toEqual([]);
  expect(record.reached.find(({ id }) => id === "start")).toMatchObject({
    title: "an operating system starts on the mini-PC",
    evidence: "on the link: it asks for an address",
  });
  expect(readFileSync(join(folder, "minipc.serial.log"), "latin1")).not.toMatch(/node: |\[talos\]/);
  expect(record.proofs.map(({ id }) => id)).toEqual(["other-mac", "pinned"]);
});
