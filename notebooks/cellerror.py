"""Extracts the messages that a reader sees from the outputs of a failed cell."""

import html.parser

# The class of package nbkit's message boxes, and of the hidden sources in GoNB's compile error reports.
BOX = "captionlab-message"
HIDDEN = "gonb-err-context"


class Text(html.parser.HTMLParser):
    """Collects the visible text of HTML."""

    def __init__(self):
        super().__init__()
        self.text, self.hidden = [], []

    def handle_starttag(self, tag, attributes):
        if self.hidden or tag == "style" or HIDDEN in (dict(attributes).get("class") or ""):
            self.hidden.append(tag)
        elif tag in ("div", "br", "p", "tr"):
            self.text.append("\n")

    def handle_endtag(self, tag):
        if self.hidden:
            self.hidden.pop()

    def handle_data(self, data):
        if not self.hidden:
            self.text.append(data)


def plain(markup):
    """Returns the visible text of HTML without empty lines."""
    parser = Text()
    parser.feed(markup)
    parser.close()
    return "\n".join(line.rstrip() for line in "".join(parser.text).splitlines() if line.strip())


def boxes(outputs):
    """Returns the texts of nbkit's message boxes in a cell's outputs."""
    return [plain(shown) for shown in markup(outputs) if BOX in shown]


def markup(outputs):
    return [output.data["text/html"] for output in outputs if "data" in output and "text/html" in output.data]


def streamed(outputs, name):
    """Returns what a cell wrote to the named stream, stdout or stderr."""
    return "".join(output.text for output in outputs if output.output_type == "stream" and output.name == name)


def cell_message(outputs, otherwise):
    """Returns a failed cell's message: nbkit's last box, else the compiler's report, else the end of stderr."""
    if found := boxes(outputs):
        return found[-1]
    if reports := [plain(shown) for shown in markup(outputs) if "gonb-err" in shown]:
        return reports[-1]
    lines = [line for line in streamed(outputs, "stderr").splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("exit status")]
    return "\n".join(lines[-20:]) or otherwise
