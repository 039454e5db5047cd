"use strict";
// Passkeys: a form marked data-passkey="create" or "get" carries the question as JSON; the
// browser's answer goes back as JSON in the same form. Without WebAuthn the form stays hidden.
(() => {
  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (char) => char.charCodeAt(0));
  };
  const text = (buffer) => {
    let plain = "";
    for (const byte of new Uint8Array(buffer)) plain += String.fromCharCode(byte);
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };
  const descriptors = (list) => (list || []).map((each) => ({ ...each, id: bytes(each.id) }));
  const create = async (asked) => {
    const credential = await navigator.credentials.create({
      publicKey: {
        ...asked,
        challenge: bytes(asked.challenge),
        user: { ...asked.user, id: bytes(asked.user.id) },
        excludeCredentials: descriptors(asked.excludeCredentials),
      },
    });
    return [credential, {
      attestationObject: text(credential.response.attestationObject),
      transports: credential.response.getTransports?.() ?? [],
    }];
  };
  const get = async (asked) => {
    const credential = await navigator.credentials.get({
      publicKey: {
        ...asked,
        challenge: bytes(asked.challenge),
        allowCredentials: descriptors(asked.allowCredentials),
      },
    });
    const handle = credential.response.userHandle;
    return [credential, {
      authenticatorData: text(credential.response.authenticatorData),
      signature: text(credential.response.signature),
      userHandle: handle ? text(handle) : null,
    }];
  };
  const answer = async (form) => {
    const ask = form.dataset.passkey === "create" ? create : get;
    const [credential, more] = await ask(JSON.parse(form.dataset.question));
    const id = text(credential.rawId);
    form.elements.answer.value = JSON.stringify({
      id,
      rawId: id,
      type: credential.type,
      response: { clientDataJSON: text(credential.response.clientDataJSON), ...more },
    });
  };
  if (!window.PublicKeyCredential || !navigator.credentials) return;
  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    const status = form.querySelector("[role=status]");
    form.hidden = false;
    form.parentElement.querySelectorAll("[data-without-passkey]").forEach((each) => {
      each.hidden = true;
    });
    form.addEventListener("submit", (event) => {
      if (form.elements.answer.value) return;
      event.preventDefault();
      status.hidden = true;
      const button = form.querySelector("button");
      button.disabled = true;
      answer(form).then(() => form.submit()).catch(() => {
        // the person cancelled, or there is no passkey here: the page offers the other ways
        status.hidden = false;
        button.disabled = false;
      });
    });
  });
})();
