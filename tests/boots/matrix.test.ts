import type { Lease } from "../../rehearsal/network/dhcp";
import { attachGateway, HOME } from "../../rehearsal/network/gateway";
import { NICS, type Stage } from "../../rehearsal/stage";
import { renderServiceFiles } from "../../stack/templates";
import { demo } from "../e2e/demo";
import { Images } from "../e2e/images";
import * as hostile from "./hostile";
import { answersNamesAndTime } from "./outside-world";
import { DESK, NEIGHBOUR, scan } from "./scan";
import { expectTurns, linesLike, type Situation } from "./turns";

const images = new Images();
afterAll(() => images.remove());
/** Without operators, as most stacks are. */
const image = images.make((each) => {
  each.files = { ...each.files, ...renderServiceFiles({ ...demo, operatorNetwork: [] }) };
});

const SERVING = `^serving ${demo.minipcMac} -> 10\\.10\\.10\\.100 on isolated \\(ISOLATED\\), Talos \\S+, version demo`;
const serving = (nic: string, lacks: string) => new RegExp(SERVING.replace("ISOLATED", nic) + lacks);
const notServing = (why: string) => new RegExp(`^NOT serving: ${why}`);
const NO_UPLINK =
  "; no uplink address, since no DHCP server gives one there, so no DNS and no way out; clock unsynchronised";

const NOBODY_ANSWERS = "; no DNS, since no resolver answers \\(192\\.0\\.2\\.1\\); clock unsynchronised";

const leases =
  (lease: Lease) =>
  (stage: Stage): void => {
    stage.uplinkLease = lease;
  };
/** A DHCP server on the isolated link too. */
const answersOnIsolated = ({ site }: Stage) => attachGateway(site.isolated, () => HOME);
const on = (address: string, router = "10.10.10.1"): Lease => ({
  ...{ address, router, server: router, dns: router },
  netmask: "255.255.255.0",
});

const onUplink = hostile.heardByAllOnTheUplink();

/**
 * What hardware and networks decide together. Each model of a NIC, each kind of a disk and each number of NICs is in a row, and
 * each row says how the console ends; what the decision alone makes of more cases is in `steps/verdict.test.ts`.
 */
const SITUATIONS: Record<string, Situation> = {
  "NICs swapped while the uplink's router still starts, and a clock of 2011 (e1000e, SATA)": {
    hardware: { swapped: true, clock: "2011-01-01T00:00:00", nic: "e1000e", disk: "sata" },
    turns: [
      { says: serving(NICS.uplink, `${NO_UPLINK} \\(20(2[6-9]|[3-9]\\d)-`) },
      {
        happens: leases(HOME),
        says: notServing(`a DHCP server answers on the NIC taken for the isolated one \\(${NICS.uplink}\\)`),
      },
      { says: serving(NICS.isolated, NOBODY_ANSWERS) },
    ],
    finally: hostile.priorityTagsAreTaken,
  },
  "one NIC, on which a DHCP server comes up later (e1000, IDE)": {
    hardware: { nic: "e1000", disk: "ide" },
    hasUplink: false,
    turns: [
      {
        says: serving(
          NICS.isolated,
          "; no second NIC for the uplink, so no DNS and no way out; clock unsynchronised",
        ),
      },
      { happens: answersOnIsolated, says: notServing("a DHCP server answers on the NIC taken") },
      {
        says: notServing(
          `a DHCP server answers on every NIC \\(${NICS.isolated}\\): none is the isolated link`,
        ),
      },
    ],
  },
  "the mini-PC's own address leased to the appliance, then hosts that attack on both links and find no port of the uplink open, and 256 MiB (VirtIO, VirtIO SCSI)":
    {
      hardware: { memoryMib: 256, disk: "virtio-scsi" },
      lease: on("10.10.10.100"),
      atStart: onUplink.atStart,
      turns: [
        { says: notServing(".* leased 10\\.10\\.10\\.100 there, the mini-PC's own address") },
        // A cable that is back before the appliance has noticed it gone changes nothing.
        {
          happens: (stage) => stage.plugAppliance("uplink", false),
          says: serving(
            NICS.isolated,
            "; the uplink's link is down, so no DNS and no way out; clock unsynchronised",
          ),
        },
        {
          async happens(stage) {
            // It names the mini-PC's address as router and resolver, and routes it to itself.
            stage.uplinkLease = {
              ...HOME,
              router: demo.minipcIp,
              dns: demo.minipcIp,
              routed: [demo.minipcIp],
            };
            await stage.plugAppliance("uplink", true);
          },
          says: serving(NICS.isolated, "; no DNS, since no resolver answers .*; clock unsynchronised"),
        },
      ],
      async finally(stage) {
        await onUplink.expectOnlyDhcp(stage);
        for (const host of [NEIGHBOUR, DESK])
          expect(await scan(stage, host)).toEqual({ answers: [], forwarded: [] });
        expect(linesLike(stage, /way in/)).toEqual([]);
        await hostile.minipcIsAnswered(stage);
        await hostile.priorityTagsAreTaken(stage);
        await hostile.forgedArpDrawsNothing(stage);
        await hostile.fullConnectionTableLeavesRoom(stage);
      },
    },
  "three NICs, the isolated one between two of the uplink, a disk of 20 GB and a clock of 1970 (UEFI)": {
    hardware: { thirdNic: true, firmware: "uefi", clock: "1970-01-01T00:00:00", nic: "e1000e" },
    diskBytes: 20e9,
    lease: HOME,
    turns: [{ says: serving(NICS.isolated, NOBODY_ANSWERS) }],
  },
  "a cable of the isolated link that is put in late, an uplink that comes up later still and knows the time, and a clock of 2040 (e1000)":
    {
      hardware: { clock: "2040-01-01T00:00:00", nic: "e1000" },
      atStart: (stage) => stage.plugAppliance("isolated", false),
      turns: [
        { says: notServing(`the isolated NIC's link is down \\(${NICS.isolated}\\)`) },
        {
          happens: (stage) => stage.plugAppliance("isolated", true),
          says: serving(NICS.isolated, `${NO_UPLINK} \\(2040-`),
        },
        {
          happens(stage) {
            leases(HOME)(stage);
            answersNamesAndTime(stage);
          },
          says: serving(NICS.isolated, "$"),
        },
      ],
      finally: hostile.priorityTagsAreTaken,
    },
};

test.each(Object.entries(SITUATIONS))("the console with %s", async (_what, situation) => {
  await expectTurns(await image, situation);
});
