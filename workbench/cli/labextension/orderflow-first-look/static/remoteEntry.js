// Runs the first notebook when `workbench lab` opens it, all but its closing cell, so that a newcomer sees the market
// move without knowing Shift+Enter. A prebuilt JupyterLab extension, written by hand in the form that JupyterLab loads
// (a webpack container: init and get), because one plugin without dependencies needs no bundler.
(function () {
  "use strict";

  const NAME = "orderflow-first-look";
  const NOTEBOOK = "00_first_look.ipynb";
  const PATIENCE_MS = 60000;
  const STEP_MS = 100;

  function pause() {
    return new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }

  function findPanel(app) {
    for (const widget of app.shell.widgets("main")) {
      if (widget.context?.path?.endsWith(NOTEBOOK) && widget.content?.widgets) return widget;
    }
    return null;
  }

  async function waitForPanel(app) {
    for (let waited = 0; waited < PATIENCE_MS; waited += STEP_MS) {
      const panel = findPanel(app);
      if (panel) return panel;
      await pause();
    }
    return null;
  }

  function cells(panel, test) {
    return panel.content.widgets.map((cell, index) => ({ model: cell.model, index })).filter(({ model }) => test(model));
  }

  async function runOnce(app) {
    // A reload of the page finds its kernel and views again; running anew would start everything over.
    if (sessionStorage.getItem(NAME)) return;
    const panel = await waitForPanel(app);
    if (!panel) return;
    await panel.context.ready;
    await panel.context.sessionContext.ready;
    sessionStorage.setItem(NAME, "done");
    const code = cells(panel, (model) => model.type === "code");
    const view = code.find(({ model }) => model.sharedModel.getSource().includes("Heatmap(")) ?? code[0];
    panel.content.activeCellIndex = code[code.length - 1].index;
    app.shell.activateById(panel.id);
    const running = app.commands.execute("notebook:run-all-above");
    panel.content.activeCellIndex = view.index;
    panel.content.scrollToItem(view.index, "start");
    await running;
    panel.content.activeCellIndex = view.index;
    await panel.content.scrollToItem(view.index, "start");
  }

  const plugin = {
    id: `${NAME}:plugin`,
    description: "Runs the first notebook once.",
    autoStart: true,
    activate: (app) => {
      app.restored.then(() => runOnce(app)).catch((error) => console.warn(`${NAME}: ${error}`));
    },
  };

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: () => undefined,
    get: () => Promise.resolve(() => ({ __esModule: true, default: plugin })),
  };
})();
