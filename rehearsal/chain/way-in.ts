import { APID_PORT } from "../../stack/ports";
import type { OperatorWhat } from "../network/seen";
import type { LinkName } from "../record";
import { all, type View } from "../view";
import { usable, type Break, type Milestone, type Sign } from "./milestone";

/** Questions that reached the mini-PC without an answer: so many, and it is taken to give none. One is asked every two seconds. */
const UNANSWERED = 5;
/** And for at least so long, of the time that the mini-PC could use. */
const UNANSWERED_MS = 6000;
/** Questions of which none was sent on, or answers of which none came back: so many are a sure sign. */
const LOST = 10;

/** What was seen on a link of the host's connections to the mini-PC's apid. */
const seenOn = (view: View, link: LinkName, state: OperatorWhat["state"]) =>
  all(view, "operator").filter(
    (what) =>
      what.link === link &&
      what.state === state &&
      what.port === APID_PORT &&
      what.client === view.expected.operator &&
      what.server === view.expected.minipcIp,
  );

const answeredOn = (view: View, link: LinkName) => [
  ...seenOn(view, link, "accepted"),
  ...seenOn(view, link, "refused"),
];

/**
 * Talos starts apid when it runs from its disk, with the address that its config says: of a mini-PC that is to be installed, what
 * shows is that a question gets through to it.
 */
function reached(view: View): Sign | undefined {
  const { operator } = view.expected;
  const yes = seenOn(view, "uplink", "accepted")[0];
  if (yes) return { atMs: yes.atMs, evidence: `${operator} on the uplink: port ${APID_PORT} answers` };
  const no = seenOn(view, "uplink", "refused")[0];
  if (no)
    return {
      atMs: no.atMs,
      evidence: `${operator} on the uplink: the mini-PC answers that nothing listens on port ${APID_PORT} yet`,
    };
  const [first, ...more] = seenOn(view, "isolated", "asked");
  const last = more
    .slice(UNANSWERED - 2)
    .find((each) => first && usable(first, each, "minipc") >= UNANSWERED_MS);
  return last && answeredOn(view, "isolated").length === 0
    ? {
        atMs: last.atMs,
        evidence: `as far as a virtual mini-PC can show: ${operator}'s questions on the uplink get to its port ${APID_PORT}, and it answers none`,
      }
    : undefined;
}

const asking = ({ expected: { operator, minipcIp } }: View) =>
  `${operator} asked on the uplink for port ${APID_PORT} of ${minipcIp}`;

const notSentOn = (view: View): Break => ({
  seen: `${asking(view)}, and nothing got to the mini-PC`,
  look: "Look at operatorNetwork, at the chain forward in files/nftables.conf, and at rp_filter in packer/appliance/sysctl.conf",
});

const notSentBack = (view: View): Break => ({
  seen: `${asking(view)}, the mini-PC answered, and its answer did not come back`,
  look: "Look at the chain postrouting in files/nftables.conf, which must leave such answers as they are",
});

/** The appliance has its uplink by then as a rule: it is given some time all the same. */
function broken(view: View): Break | undefined {
  const [asked, sentOn] = [seenOn(view, "uplink", "asked"), seenOn(view, "isolated", "asked")];
  if (asked.length >= LOST && sentOn.length === 0) return notSentOn(view);
  return answeredOn(view, "isolated").length >= LOST ? notSentBack(view) : undefined;
}

function overdue(view: View): Break {
  if (answeredOn(view, "isolated").length > 0) return notSentBack(view);
  if (seenOn(view, "isolated", "asked").length === 0) return notSentOn(view);
  return {
    seen: `${asking(view)}, and few of its questions got to the mini-PC`,
    look: "Read appliance.serial.log, and the captures of both links",
  };
}

/** That a host of the stack's operatorNetwork gets through to the mini-PC. */
export const WAY_IN_MILESTONE: Milestone = {
  id: "way-in",
  title: "the operator's way in leads to apid",
  side: "minipc",
  limitS: 120,
  applies: ({ operator }) => operator !== undefined,
  reached,
  broken,
  overdue,
};
