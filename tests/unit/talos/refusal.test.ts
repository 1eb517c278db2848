import { refusal } from "../../../steps/talos/refusal";

test.each([
  [
    "line 4: cannot unmarshal !!str `p4ssw0r...` into v1alpha1.MachineConfig",
    "line 4: cannot unmarshal !!str (left out) into v1alpha1.MachineConfig",
  ],
  [
    "error decoding to *v1alpha1.Config: yaml: cannot decode !!str `p4ssw0rd-in-full` as a !!int",
    "error decoding to *v1alpha1.Config: yaml: cannot decode !!str (left out) as a !!int",
  ],
  [
    "unmarshal errors:\n  line 3: cannot unmarshal !!str `p4` into w0` into []string\n  line 9: cannot unmarshal !!str `p4\n ss...` into bool",
    "unmarshal errors: line 3: cannot unmarshal !!str (left out) into []string line 9: cannot unmarshal !!str (left out) into bool",
  ],
  ["line 3: cannot unmarshal !!str `p4", "line 3: cannot unmarshal !!str (left out)"],
  ["yaml: unknown anchor 'p4ssw0rd' referenced", "yaml: unknown anchor (left out) referenced"],
  [
    "unknown keys found during decoding:\nmachine:\n    secretKey: p4ssw0rd\n",
    "unknown keys found during decoding: machine, secretKey",
  ],
  ["1 error occurred:\n\t* an install disk is missing\n\n", "1 error occurred: * an install disk is missing"],
])("what Talos says on one line, without a value that may be secret: %j", (said, told) => {
  expect(refusal(said)).toBe(told);
});
