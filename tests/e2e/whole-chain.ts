import type { RehearsalRecord } from "../../rehearsal/record";
import { edit, type Assembly, type Images } from "./images";

/** Every milestone of the chain of a stack with neither images nor an operator's way in, by its id. */
export const CHAIN = [
  "power-on",
  "address",
  "services",
  "pxe",
  "lease",
  "loader",
  "script",
  "kernel",
  "initramfs",
  "start",
  "time",
  "config",
  "accepted",
];

/** The chain of the demo's stack. */
export const DEMO_CHAIN = [...CHAIN, "way-in"];

/** The image, whose mini-PC does both at once, in the given order. */
export const ordered = (
  images: Images,
  order: string[],
  change: (each: Assembly) => void = () => undefined,
) =>
  images.make((each) => {
    edit(each, "boot.ipxe", " pti=on", ` pti=on demo.order=${order.join()}`);
    change(each);
  });

export function expectOrder({ reached }: Omit<RehearsalRecord, "image">, order: string[]): void {
  expect(reached.map(({ id }) => id).filter((id) => order.includes(id))).toEqual(order);
}
