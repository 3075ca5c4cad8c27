// Calls to the REST API with the page's login. An error is an Error whose message is
// the portal's own sentence, in the language of the page; `status` is missing where the
// portal could not be reached.
import { word } from "./messages.js";

const xsrf = document.querySelector('meta[name="xsrf-token"]')?.content ?? "";

export async function call(method, path, body) {
  const headers = { "X-XSRFToken": xsrf, Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: JSON.stringify(body) });
  } catch {
    throw new Error(word("unreachable"));
  }
  if (answer.status === 204) return null;
  const document = await answer.json().catch(() => null);
  if (!answer.ok) {
    const about = { status: answer.status, problem: document };
    throw Object.assign(new Error(sentence(document)), about);
  }
  return document;
}

function sentence(problem) {
  if (!problem?.detail) return word("unreachable");
  const fields = (problem.errors ?? []).map((e) => `${e.field}: ${e.message}`);
  return [problem.detail, problem.hint, ...fields].filter(Boolean).join(" ");
}
