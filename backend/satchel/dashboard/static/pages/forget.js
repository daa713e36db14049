// Forgetting: what, then what would go, then the act and its receipt; below, earlier receipts and what is kept out.
import { call } from "../api.js";
import { Heading } from "../ui.js";
import { html, useEffect, useRef, useState } from "../vendor/preact.js";
import { register, t } from "../words.js";
import { Ask, NOTHING, bodyOf } from "./forget/ask.js";
import { KeptOut } from "./forget/kept_out.js";
import { Plan } from "./forget/plan.js";
import { Receipt, Receipts } from "./forget/receipts.js";
import { Running } from "./forget/running.js";

register({
  en: {
    "forgetting.title": "Forget",
    "forgetting.lead": "What is forgotten is gone from this computer for good: the words, the memories drawn from them, their history, and Satchel's own backups.",
    "forgetting.cut": "Satchel did not answer to the end. What was begun is ended when it runs again; look at the receipts below, then ask again.",
    "forgetting.over": "Forgotten",
    "forgetting.another": "Forget something else",
  },
  zh: {
    "forgetting.title": "忘记",
    "forgetting.lead": "被忘记的内容会从这台电脑上永久消失：原话、由此得出的记忆、它们的历史，以及 Satchel 自己的备份。",
    "forgetting.cut": "Satchel 没有响应到最后。已经开始的部分会在它再次运行时完成；请先查看下面的回执，再重新提出。",
    "forgetting.over": "已忘记",
    "forgetting.another": "再忘记别的",
  },
});

/** @param {any} props */
export default function Forget({ profile }) {
  const [asked, setAsked] = useState(NOTHING);
  const [step, setStep] = useState(/** @type {"ask" | "plan" | "running" | "over"} */ ("ask"));
  const [receipt, setReceipt] = useState(/** @type {any} */ (null));
  const [problem, setProblem] = useState("");
  const [ended, setEnded] = useState(0); // forgettings of this page, so that the lists below look again
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = useRef(false);

  useEffect(() => {
    // Where a step begins, the focus is; the first is the page's own heading.
    shown.current && place.current?.focus();
    shown.current = true;
  }, [step]);

  const act = async () => {
    setProblem("");
    setStep("running");
    try {
      const answer = await call("POST", "/v1/forget", { body: { ...bodyOf(asked, profile), preview: false } });
      setReceipt(answer.receipt);
      setAsked(NOTHING);
      setStep("over");
    } catch (error) {
      setProblem(/** @type {any} */ (error).status === 0 ? t("forgetting.cut") : /** @type {Error} */ (error).message);
      setStep("plan");
    }
    setEnded((before) => before + 1);
  };

  return html`
    <${Heading}>${t("forgetting.title")}<//>
    ${step === "ask" && html`<p class="soft">${t("forgetting.lead")}</p>
      <${Ask} asked=${asked} change=${setAsked} profile=${profile} place=${place} go=${() => { setProblem(""); setStep("plan"); }} />`}
    ${step === "plan" && html`<${Plan} asked=${asked} profile=${profile} place=${place} problem=${problem} act=${act} back=${() => setStep("ask")} />`}
    ${step === "running" && html`<${Running} place=${place} />`}
    ${step === "over" && html`<section class="card" aria-labelledby="over">
      <h2 id="over" tabindex="-1" ref=${place}>${t("forgetting.over")}</h2>
      <${Receipt} receipt=${receipt} />
      <p class="buttons"><button onClick=${() => setStep("ask")}>${t("forgetting.another")}</button></p>
    </section>`}
    <${Receipts} ended=${ended} />
    <${KeptOut} profile=${profile} ended=${ended} />
  `;
}
