// TensorBoard, engines in Slurm and resources in JupyterLab and Notebook 7.
//
// Written by hand and served as it is: Jupyter's pages share their modules with whoever
// asks for them (webpack's module federation), so nothing has to be built.
(() => {
  "use strict";

  const TEXTS = {
    en: { clusters: "Clusters", board: "TensorBoard", here: "TensorBoard of this folder",
      open: "Open in TensorBoard", of: "of", cores: "cores", failed: "TensorBoard did not start" },
    ja: { clusters: "クラスター", board: "TensorBoard", here: "このフォルダーの TensorBoard",
      open: "TensorBoard で開く", of: "/", cores: "コア", failed: "TensorBoard を開始できませんでした" },
    ko: { clusters: "클러스터", board: "TensorBoard", here: "이 폴더의 TensorBoard",
      open: "TensorBoard로 열기", of: "/", cores: "코어", failed: "TensorBoard를 시작하지 못했습니다" },
  };
  const texts = TEXTS[navigator.language.slice(0, 2)] ?? TEXTS.en;

  const icon = (body) =>
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16">' +
    `<g class="jp-icon3" stroke="#616161" stroke-width="2" style="fill:none">${body}</g></svg>`;
  const CHART = icon('<path d="M3 3v18h18"/><path d="m6 16 4-6 4 3 6-8"/>');
  const NODES = icon('<rect x="9" y="3" width="6" height="5"/><rect x="3" y="16" width="6" height="5"/>' +
    '<rect x="15" y="16" width="6" height="5"/><path d="M12 8v4M6 16v-4h12v4"/>');
  // What TensorBoard reads is called so, and folders that people make for it.
  const EVENTS = /^events\.out\.tfevents\./;
  const LOGS = /^(logs?|runs|tensorboard|tb_logs|lightning_logs)$/i;
  const LOOK_MS = 10_000;

  // The modules that this page shares; those that it lacks are null.
  let shared = {};
  async function load(name) {
    const [one] = Object.values(shared[name] ?? {});
    return one ? (await one.get())() : null;
  }

  const cookie = (name) => {
    const found = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
    return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
  };

  async function ask(address, body) {
    const headers = { "X-XSRFToken": cookie("_xsrf"), Accept: "application/json" };
    if (body) headers["Content-Type"] = "application/json";
    const answer = await fetch(address, {
      method: body ? "POST" : "GET", headers, credentials: "same-origin",
      body: body && JSON.stringify(body),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.message ?? answer.statusText);
    return told;
  }

  const theme = () => (document.body.dataset.jpThemeLight === "false" ? "dark" : "light");

  // A frame that is filled when it is first looked at.
  function frame(lumino, address, label) {
    class Frame extends lumino.Widget {
      constructor() {
        super({ node: document.createElement("div") });
        this.addClass("kqi-frame");
        this.title.label = label;
        this.title.closable = true;
        this.inside = document.createElement("iframe");
        this.inside.title = label;
        this.inside.style.cssText = "border:0;display:block;height:100%;width:100%";
        this.node.style.cssText = "height:100%;min-height:60vh";
        this.node.append(this.inside);
      }
      onBeforeShow() { this.fill(); }
      onAfterAttach() { if (this.isVisible) this.fill(); }
      fill() { if (!this.inside.src) this.inside.src = address(); }
    }
    return new Frame();
  }

  async function extension() {
    const [lumino, coreutils, apputils, ui, launcher, files, palette, status, tree] =
      await Promise.all([
        "@lumino/widgets", "@jupyterlab/coreutils", "@jupyterlab/apputils",
        "@jupyterlab/ui-components", "@jupyterlab/launcher", "@jupyterlab/filebrowser",
        "@jupyterlab/apputils", "@jupyterlab/statusbar", "@jupyter-notebook/tree",
      ].map(load));
    const wanted = {
      launcher: launcher?.ILauncher,
      browser: files?.IDefaultFileBrowser,
      palette: palette?.ICommandPalette,
      status: status?.IStatusBar,
      tree: tree?.INotebookTree,
    };
    const names = Object.keys(wanted).filter((name) => wanted[name]);
    return {
      id: "kqi-session:plugin",
      description: "TensorBoard, engines in Slurm and resources of a notebook's session",
      autoStart: true,
      optional: names.map((name) => wanted[name]),
      activate(app, ...given) {
        const has = Object.fromEntries(names.map((name, place) => [name, given[place]]));
        new Tools(app, has, { lumino, coreutils, apputils, ui }).add();
      },
    };
  }

  class Tools {
    constructor(app, has, modules) {
      Object.assign(this, { app, has, modules });
      this.base = modules.coreutils.PageConfig.getBaseUrl();
      this.isLab = app.name === "JupyterLab";
      const { LabIcon } = modules.ui;
      this.chart = new LabIcon({ name: "kqi:tensorboard", svgstr: CHART });
      this.nodes = new LabIcon({ name: "kqi:clusters", svgstr: NODES });
    }

    add() {
      const { commands, contextMenu } = this.app;
      commands.addCommand("kqi:tensorboard", {
        label: texts.board, caption: texts.here, icon: this.chart,
        execute: (args) => this.openBoard(args.cwd ?? this.folder()),
      });
      commands.addCommand("kqi:tensorboard-folder", {
        label: texts.open, icon: this.chart,
        execute: () => this.openBoard(this.chosen()),
      });
      commands.addCommand("kqi:clusters", {
        label: texts.clusters, icon: this.nodes, execute: () => this.openClusters(),
      });
      contextMenu.addItem({
        command: "kqi:tensorboard-folder", rank: 4,
        selector: '.jp-DirListing-item[data-isdir="true"]',
      });
      for (const command of ["kqi:tensorboard", "kqi:clusters"]) {
        this.has.launcher?.add({ command, category: "Other", rank: 10 });
        this.has.palette?.addItem({ command, category: "KQI Hub" });
      }
      if (this.has.tree) this.addToTree(this.has.tree);
      if (this.has.browser) this.addButton(this.has.browser);
      if (this.has.status) this.addResources(this.has.status);
    }

    folder() { return this.has.browser?.model.path ?? ""; }

    // The folder that was clicked at.
    chosen() {
      const [item] = this.has.browser ? [...this.has.browser.selectedItems()] : [];
      return item?.type === "directory" ? item.path : this.folder();
    }

    async openBoard(path) {
      const logdir = path.replace(/^[A-Za-z]+:/, ""); // a drive's name comes first
      // Now: a window that opens after the answer would be taken for an advertisement.
      const tab = this.isLab ? null : window.open("", "_blank");
      try {
        const board = await ask(`${this.base}kqi/tensorboards`, { logdir });
        const address = new URL(board.path, location.href).href;
        if (tab) tab.location = address;
        else this.show(`kqi-board-${board.number}`, `${texts.board}: ${logdir || "/"}`, () => address, this.chart);
      } catch (error) {
        tab?.close();
        this.modules.apputils.showErrorMessage(texts.failed, String(error.message ?? error));
      }
    }

    clustersAddress() { return `${this.base}kqi/clusters?theme=${theme()}`; }

    openClusters() {
      if (this.isLab) this.show("kqi-clusters", texts.clusters, () => this.clustersAddress(), this.nodes);
      else window.open(this.clustersAddress(), "_blank");
    }

    show(id, label, address, labIcon) {
      const { shell } = this.app;
      let widget = [...shell.widgets("main")].find((one) => one.id === id);
      if (!widget) {
        const { lumino, apputils } = this.modules;
        widget = new apputils.MainAreaWidget({ content: frame(lumino, address, label) });
        widget.id = id;
        Object.assign(widget.title, { label, closable: true, icon: labIcon });
        shell.add(widget, "main");
      }
      shell.activateById(id);
    }

    // Notebook's first page: a tab beside Files and Running, and items of its New menu.
    addToTree(tree) {
      const tab = frame(this.modules.lumino, () => this.clustersAddress(), texts.clusters);
      tab.id = "kqi-clusters";
      tab.title.closable = false;
      tab.title.icon = this.nodes;
      tree.addWidget(tab);
      tree.tabBar.addTab(tab.title);
      this.addToNew(40);
      this.app.serviceManager.kernelspecs.specsChanged.connect(() => this.addToNew(1));
    }

    addToNew(tries) {
      const bars = [...(this.has.browser?.toolbar.children() ?? [])];
      const menu = bars.find((one) => one.menus?.length)?.menus[0];
      if (!menu) {
        if (tries > 1) setTimeout(() => this.addToNew(tries - 1), 250);
        return;
      }
      const known = new Set(menu.items.map((one) => one.command));
      for (const command of ["kqi:tensorboard", "kqi:clusters"]) {
        if (!known.has(command)) menu.addItem({ command });
      }
    }

    // A button in the list of files, while there is something for TensorBoard to show.
    addButton(browser) {
      const { ToolbarButton } = this.modules.ui;
      const button = new ToolbarButton({
        icon: this.chart, label: texts.board, tooltip: texts.here,
        onClick: () => this.openBoard(this.folder()),
      });
      button.addClass("kqi-tensorboard");
      const look = () => {
        const path = this.folder().split("/");
        const isLogs = LOGS.test(path[path.length - 1]);
        const events = [...browser.model.items()].some((one) => EVENTS.test(one.name));
        button.setHidden(!(isLogs || events));
      };
      browser.toolbar.addItem("kqi-tensorboard", button);
      browser.model.refreshed.connect(look);
      browser.model.pathChanged.connect(look);
      look();
    }

    // What this job uses of what was asked for.
    addResources(bar) {
      const widget = new this.modules.lumino.Widget({ node: document.createElement("span") });
      widget.addClass("jp-StatusBar-TextItem");
      widget.addClass("kqi-resources");
      bar.registerStatusItem("kqi-session:resources", { item: widget, align: "left", rank: 900 });
      const look = async () => {
        if (document.hidden) return;
        try {
          const now = await ask(`${this.base}kqi/session/resources`);
          widget.node.textContent = now.line;
          widget.node.title = now.title;
          widget.node.style.fontWeight = now.is_tight ? "700" : "";
        } catch {
          // The network is away for a moment: the next look tells.
        }
      };
      look();
      setInterval(look, LOOK_MS);
    }
  }

  globalThis._JUPYTERLAB ??= {};
  globalThis._JUPYTERLAB["kqi-session"] = {
    init(scope) { shared = scope; },
    async get() {
      const plugin = await extension();
      return () => ({ __esModule: true, default: plugin });
    },
  };
})();
