// Logging a sheet without loading pages anew. Everything here also works without this file: it only sends the same forms, puts the answers into the page,
// keeps every change at once, and holds what could not be sent until there is a connection again: in this browser, sealed with a key that the page brings
// for whoever the draft belongs to, for some hours at most; saving the draft removes it, and signing out does (Clear-Site-Data).
"use strict";
(() => {
  const PREFIX = "shouwang-draft:", KEY = PREFIX + location.pathname.split("/")[2], HELD_HOURS = 12;
  const form = () => document.getElementById("sheet");
  const say = (text) => { const place = document.getElementById("saved"); if (place) place.textContent = text; };
  let waiting = 0;

  const fields = () => [...new FormData(form())].filter(([name, value]) => name !== "csrf_token" && typeof value === "string");
  const cipher = () => crypto.subtle.importKey("raw", from64(form().dataset.key), "AES-GCM", false, ["encrypt", "decrypt"]);
  const from64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const to64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

  let turn = Promise.resolve();  // holding takes a moment: one after the other, so that what was released is not held again
  const next = (work) => (turn = turn.then(work, work));
  const release = () => next(() => localStorage.removeItem(KEY));
  const hold = () => {
    const said = new TextEncoder().encode(JSON.stringify(fields())), nonce = crypto.getRandomValues(new Uint8Array(12));
    return next(async () => {
      if (!window.isSecureContext) return "没有网络：请不要关闭这一页";
      const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv: nonce }, await cipher(), said);
      localStorage.setItem(KEY, Date.now() + "." + to64(nonce) + "." + to64(new Uint8Array(sealed)));
      return "没有网络：已加密存在这台电脑上";
    });
  };
  const held = async () => {
    const [, nonce, sealed] = localStorage.getItem(KEY).split(".");
    return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt({ name: "AES-GCM", iv: from64(nonce) }, await cipher(), from64(sealed))));
  };

  const signedOut = (answer) => answer.redirected && new URL(answer.url).pathname === "/sign-in";

  async function save() {
    const target = form();
    if (!target || !target.dataset.save) return;
    const body = new FormData(target);
    body.delete("photo");
    try {
      const answer = await fetch(target.dataset.save, { method: "POST", body });
      if (signedOut(answer)) { await hold(); say("没有保存：已经退出登录，请点「保存草稿」重新登录"); return; }
      if (!answer.ok) { say("没有保存：" + (answer.status === 403 ? "这份草稿已由别人接手" : "请点「保存草稿」看原因")); return; }
      const unsent = ["add", "paste"].some((id) => document.getElementById(id).value.trim());
      unsent ? hold() : release();  // what is typed but not on the list yet is not the server's
      say("已保存");
    } catch {
      say(await hold() + "，联网后自动保存");
    }
  }

  function show(html, address) {
    const page = new DOMParser().parseFromString(html, "text/html");
    document.body.replaceWith(page.body);
    document.title = page.title;
    if (address !== location.href) history.pushState(null, "", address);
    const first = document.querySelector("main .notice.bad") || document.querySelector("main [autofocus]");
    const typing = document.getElementById("add");
    (document.querySelector("main .notice.bad") && typing ? typing : first || document.getElementById("main")).focus();
    window.scrollTo(0, 0);
  }

  async function send(target, button) {
    const body = new FormData(target);
    if (button && button.name) body.append(button.name, button.value);
    say("请稍候…");
    try {
      const answer = await fetch(target.action, { method: "POST", body });
      signedOut(answer) && target.dataset.save ? await hold() : release();
      show(await answer.text(), answer.redirected ? answer.url : location.href);
    } catch {
      const typed = document.getElementById("add"), list = document.getElementById("paste");
      if (typed && list && typed.value.trim() && !typed.value.trim().startsWith("-")) {
        list.value += (list.value && !list.value.endsWith("\n") ? "\n" : "") + typed.value.trim() + "\n";
        list.closest("details").open = true;
        typed.value = "";
      }
      say((target.dataset.save ? await hold() : "没有网络") + "，联网后再按一次");
    }
  }

  document.addEventListener("submit", (event) => {
    if (event.target !== form()) return;
    event.preventDefault();
    clearTimeout(waiting);
    send(event.target, event.submitter);
  });
  document.addEventListener("change", (event) => {
    if (!form() || !form().contains(event.target) || event.target.id === "photo") return;
    const count = document.getElementById("ticked");
    if (count) count.textContent = form().querySelectorAll("input[name=on]:checked").length;
    clearTimeout(waiting);
    waiting = setTimeout(save, 300);
  });
  document.addEventListener("paste", (event) => {  // a whole column pasted where one name is typed is a list
    const text = event.clipboardData.getData("text");
    if (event.target.id !== "add" || !/[\r\n]/.test(text.trim())) return;
    event.preventDefault();
    document.getElementById("paste").value = text;
    send(form(), form().querySelector("button[value=add]"));
  });
  window.addEventListener("online", save);
  window.addEventListener("popstate", () => location.reload());

  async function restore() {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith(PREFIX) && !(Date.now() - Number(localStorage.getItem(name).split(".")[0]) < HELD_HOURS * 3600_000)) localStorage.removeItem(name);
    }
    if (!localStorage.getItem(KEY) || !form() || !form().dataset.save) return;
    let said;
    try { said = await held(); } catch { release(); return; }  // somebody else's, or of an older page
    const ticked = said.filter(([name]) => name === "on").map(([, value]) => value);
    const shown = new Set((said.find(([name]) => name === "rows") || ["", ""])[1].split(" "));
    for (const [name, value] of said) {
      const field = form().elements.namedItem(name);
      if (field && "value" in field && !["rows", "on", "next_day"].includes(name)) field.value = value;
    }
    for (const box of form().querySelectorAll("input[name=on]")) if (shown.has(box.value)) box.checked = ticked.includes(box.value);
    form().elements.namedItem("next_day").checked = said.some(([name]) => name === "next_day");
    if (document.getElementById("paste").value) document.getElementById("paste").closest("details").open = true;
    save();
  }
  restore();
})();
