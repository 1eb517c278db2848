import type { RehearsalSummary } from "../components/Rehearsal";
import { atMost, type Bench } from "./setting";
import type { Figure } from "./table";

/** Longest that a rehearsal should take, in seconds, by how its guests run. */
const LIMIT_S = { kvm: 20, hvf: 20, tcg: 100 };

/** The image of `lab` booted with its mini-PC, and the twin beside. */
export async function rehearsal({ checkout, lab, accelerator }: Bench): Promise<Figure[]> {
  checkout.set("lab", { rehearse: "true" });
  await lab.up();
  const { seconds } = JSON.parse(
    await lab.pulumi("stack", "output", "rehearsal", "--json"),
  ) as RehearsalSummary;
  checkout.set("lab", { rehearse: "false" });
  await lab.up();
  return [
    {
      what: "(h) a rehearsal",
      unit: "s",
      here: { what: "from power-on to the last proof, the twin beside it", values: [seconds] },
      target: atMost(LIMIT_S[accelerator]),
    },
  ];
}
