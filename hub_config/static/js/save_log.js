// The log of a job, saved by the browser under the name of what the job was.
export async function saveLog(job, name) {
  // What the page of files uses reads its words when it is loaded: from a page that has them.
  const { fetchTo, contentAddress } = await import("./files/download.js");
  const place = { root: "scratch", path: `log/${job}.log` };
  await fetchTo(place, contentAddress(place, name));
}
