import { declaredDefaults } from "../../stack/config/defaults";
import { missingIdentity } from "./age-identity";
import { QUESTIONS, refusalOf, type AnswerFault, type Answers, type plan, type Plan } from "./answers";
import type { Person } from "./person";
import type { Request } from "./request";

/** Completes the answers; each one that is wrong is asked for again. */
async function askForAnswers(
  person: Person,
  given: Answers,
  planOf: (answers: Answers) => ReturnType<typeof plan>,
): Promise<Answers> {
  const answers = { ...given };
  for (const { answer, text, only } of QUESTIONS) {
    if (answers[answer] || (only && !only(answers))) continue;
    const fallbacks: Answers = {
      talosVersion: declaredDefaults().talosVersion,
      ip: planOf(answers).suggestedLease,
    };
    for (;;) {
      answers[answer] = await person.ask(text, fallbacks[answer]);
      const fault = planOf(answers).faults.find((each) => each.answer === answer);
      if (!fault) break;
      process.stderr.write(`  ${fault.text}\n`);
    }
  }
  return answers;
}

/** What is to be made, complete and without a fault, and whether an age identity is to be made. */
export async function decide(
  person: Person | undefined,
  request: Request,
  planOf: (answers: Answers) => ReturnType<typeof plan>,
): Promise<{ asked: Plan; makesIdentity: boolean }> {
  const { stack, answers: given } = request;
  const missing = missingIdentity(request);
  const isGiven = ({ answer }: AnswerFault) =>
    given[answer as keyof Answers] !== undefined || answer === "stack";
  let { plan: asked, faults } = planOf(given);
  if (person) {
    const misgiven = faults.filter(isGiven);
    if (misgiven.length > 0) throw refusalOf(stack, misgiven);
    ({ plan: asked, faults } = planOf(await askForAnswers(person, given, planOf)));
  }
  const question = `There is no age identity ${missing}, which secrets are encrypted to. Make one?`;
  const makesIdentity =
    missing !== undefined &&
    (request.makeAgeKey || (asked && /^y/i.test((await person?.ask(question, "yes")) ?? "")));
  if (missing && !makesIdentity)
    faults.push({
      answer: "ageKey",
      text: `there is no age identity ${missing}: --make-age-key makes one, or this option names another`,
    });
  if (!asked || faults.length > 0) throw refusalOf(stack, faults);
  return { asked, makesIdentity: makesIdentity === true };
}
