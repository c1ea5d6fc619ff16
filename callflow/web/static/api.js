// Requests to /api/v1. Every failure becomes a Problem with a sentence and a remedy.
import { Store } from "./store.js";

export class Problem extends Error {
  constructor(status, problem, remedy, isAway = false) {
    super(problem);
    this.status = status;
    this.remedy = remedy;
    this.isAway = isAway; // the database is, and may come back by itself
  }
}

// Who is signed in: undefined while unknown, null for nobody.
export const me = new Store(undefined);

export async function ask(path, { method = "GET", body } = {}) {
  let answer;
  try {
    answer = await fetch(`api/v1/${path}`, {
      method,
      headers: { "X-Callflow": "1", ...(body && { "Content-Type": "application/json" }) },
      body: body && JSON.stringify(body),
      cache: "no-store",
    });
  } catch {
    throw new Problem(0, "the server cannot be reached", "");
  }
  if (answer.status === 204) return null;
  const data = await answer.json().catch(() => ({}));
  if (answer.ok) return data;
  if (answer.status === 401 && me.value) me.set(null);
  throw new Problem(answer.status, data.problem ?? answer.statusText, data.remedy ?? "", data.is_away);
}

export async function whoAmI() {
  try {
    me.set(await ask("session"));
  } catch (problem) {
    if (problem.status === 401) me.set(null);
    else setTimeout(whoAmI, 2000);
  }
}

export async function signIn(token) {
  me.set(await ask("session", { method: "POST", body: { token } }));
}

export async function signOut() {
  await ask("session", { method: "DELETE" }).catch(() => {});
  me.set(null);
}
