"""Writes ptb_cases.json and ptb_flickr8k.json: coco-caption's tokens of hard cases and of Flickr8k's captions.

The tokenizer is the unchanged PTBTokenizer of pycocoevalcap 1.2 (Stanford CoreNLP 3.4.1, Java). str.split() splits its
output into words, as BLEU and CIDEr do. For Flickr8k, only hashes are kept.

    python make_ptb_goldens.py                       # the cases
    python make_ptb_goldens.py Flickr8k.token.txt    # the hashes too
"""
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

from pycocoevalcap.tokenizer import ptbtokenizer
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

HERE = pathlib.Path(__file__).parent
BLOCK = 1000
END = "zzendzz"

# Cases by category, separated by " | ".
CASES = {
    "contractions":
        "can't | cannot | CANNOT | don't | DON'T | don`t | don’t | dont | isn't | ain't | couldn't've | I'm | "
        "I'd've | they're | we've | he'll | she'd | it's | its | gonna | wanna | gotta | lemme | gimme | 'tis | "
        "'twas | 'til | 'em | 'cause | y'all | ma'am | o'clock | c'mon | ol' man | rock 'n' roll | rock'n'roll | "
        "more'n that | ca n't | n't | 's | s'",
    "possessives":
        "a man's hat | the girls' bikes | James's | women's | St. John's | U.S.'s | T.V.'s | dog's. | dogs'. | Mr.'s",
    "names with apostrophes":
        "O'Neill | d'Artagnan | l'eau | hors d'oeuvre | D'Or | B'day | b'day | Bo'sun | five-o'clock | "
        "O'Neill-Smith | Ha'penny | li'l | cap'n",
    "abbreviations":
        "Mr. Smith | mrs. jones | Dr. Who | St. Louis | 5th Ave. bus | Main Blvd. sign | etc. and | vs. them | "
        "Inc. and | Jr. high | 6 ft. tall | Jan. 5 | oct. fair | no. 5 | No. 5 | no. It | pp. 5 | fig. 2 | "
        "lbs. of | oz. of | in. long | approx. ten | dept. store | Ph.D. student | Ph.D, | sgt. pepper | Pa. town | "
        "pa. town | Mass. town | mass. of | mfg. plant | MFG. PLANT",
    "acronyms":
        "U.S. flag | u.s. flag | U.S.A. | e.g. a cat | i.e. a cat | 5 a.m. train | 5 p.m. | J. Smith | "
        "J.K. Rowling | B.C. | plan b. | plan B. The end | vitamin C. A man | T.V. set | R.I.P. | a.k.a. him",
    "hyphens":
        "t-shirt | x-ray | so-called | mother-in-law | black-and-white | pre- and post- | -like | e-mail | a--b | "
        "a---b | a ---- b | a ----- b | -- | - | co-op. | 10-year-old | semi-\u00adfinal | so\u00adft",
    "slashes":
        "and/or | his/her | w/ | w/a | w/o | red/white/blue | a/b/c/d | black-and-white/red | a / b | // | 1/2 | "
        "3/4th | 1/4-mile | 12/25/2010 | 24/7 | A/C | naïve/true | a1/b2",
    "numbers":
        "1,000 | 1,000,000.50 | 3.5 | .5 | -5 | +5 | 5-6 | 1.5-inch | 5x7 | 1st | 2nd | 22ND | 3-D | 3D | MP3 | "
        "B-52 | 1980s | '80s | 80's | '99 | 5% | 50 % | 1.2.3.4 | 5. | 5.The | 1..2 | 2-story | 4-way | 1.000,00 | "
        "(5) | 100th",
    "fractions": "1 1/2 cups | 11 1/2 | 1-1/2 | ½ | 1½ | ¼ cup | ¾ | ⅓ | 2 1/2 story house",
    "times and dates":
        "1:00 | 12:30pm | 12:30-1:30 | 1:00 p.m. | 12/25/2010 | 2010-01-02 | 9/11 | 9-11 | Jan. 1, 2010 | 1990-1995",
    "telephones":
        "555-1234 | 800-555-1234 | (800) 555-1234 | (800)555-1234 | 1-800-555-1212 | 10 20 100 200 | 555 1234",
    "measures": "5' | 6'4 | 5'10\" | 6\" | 5'10 tall | 10° | 5ft | 5lb. | 20mph",
    "money": "$5 | $5.00 | $1,000.50 | 5$ | US$ 5 | C$10 | £5 | €5 | ¥5 | 50¢ | 5c | $$",
    "brackets": "(a dog) | (a | b) | [x] | {y} | ((a)) | (-5) | () | a(b)c | -LRB- | -lrb-",
    "quotes":
        "\"stop\" sign | 'stop' sign | ``stop'' | “stop” | ‘stop’ | «stop» | \"a 'b' c\" | \" | ' | `` | '' | ''' | "
        "5\" | a\"b | ´ | the 'end | \"The End.\"",
    "ends":
        "a. | a.. | a... | a.... | . . . | .. | ... | … | a… b | a! | a!! | a?! | ?? | !!! | a!b | a.b | "
        "end.Start | word,word | word;word | word:word | a , b | a ; b | a : b | a. b | dogs., | aa.; | aa.-bb | "
        "red,blue-green | a,b | a,,b",
    "symbols":
        "& | a & b | AT&T | R&B | r&b | M&M's | Q&A | B&O | # | #5 | #tag | #a1 | ## | @ | @home | @a_b | * | ** | "
        "a*b | + | a+b | C++ | C# | = | a=b | ~ | ^ | _ | __ | a_b | \\ | | a | < | > | << | -> | <- | <3 | © | ® | "
        "™ | ° | a° | ☺ | ★ | ♥ | % | a%b",
    "faces": ":) | :-) | ;) | :( | :D | :P | :p | =) | :)) | :'( | ^_^ | -_- | >_< | :3 | :/ | XD | :Da | a:)",
    "web":
        "http://www.a.com/x?y=1 | https://x.y | www.google.com | google.com | google.com/a | me@x.com | a.b.c | "
        "e.xyz | photo.jpg | 1.jpg | img_1234.jpg | http://",
    "tags and entities":
        "<b>bold</b> | <br/> | <br /> | <a href=\"x\">y</a> | a <b | 3 < 5 | &amp; | AT&amp;T | &lt; | &gt; | "
        "&quot;a&quot; | a&nbsp;b | &#39; | &apos;s",
    "spelling":
        "colour | grey | GREY | centre | theatre | favourite | travelling | jewellery | tyre | metre | aluminium | "
        "moustache | programme | realise | multi-coloured",
    "letters": "café | naïve | É | é. | Ω | 日本語 | Москва | e\u0301 | ñandú | straße | İstanbul | ﬁsh | ª | ²",
    "invisible":
        "a\u200bb | a\u00a0b | \u00a0 | a\ufeffb | a\tb | a\u2028b | a\u0001b | \u007f | 😀 | a😀b | 👍🏽 | \u2014 | "
        "a—b | a–b | ‐ | −5",
    "sentences":
        "A man in a red shirt, with a dog (on a leash), isn't walking. | "
        "Two 10-year-old boys play w/ a frisbee... | \"Look!\" says the sign. | "
        "It's 5 o'clock at St. Mary's; the bus, no. 5, won't stop here! | "
        "A woman sits at a table with 2 1/2 lbs. of grapes & a coke.  |  Leading and trailing blanks  | "
        "Tabs\tand  double  spaces. | a b c",
}
# Contexts in which each case is tokenized.
FRAMES = ["{}", "a {} b", "({}", "{}, b", "{}."]


def ask(lines):
    """Returns what the jar makes of each line, the tokens separated by spaces, if a plain word begins the next one."""
    folder = pathlib.Path(ptbtokenizer.__file__).parent
    with tempfile.NamedTemporaryFile(dir=folder) as f:
        f.write("".join(line + "\n" + END + "\n" for line in lines).encode())
        f.flush()
        out = subprocess.run(["java", "-cp", ptbtokenizer.STANFORD_CORENLP_3_4_1_JAR,
                              "edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase", f.name],
                             cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    answers = out.stdout.decode().split("\n" + END + "\n")[:-1]
    if len(answers) != len(lines):
        sys.exit(f"{len(lines)} lines, but {len(answers)} answers")
    return [a.replace("\n", " ") for a in answers]  # \r and the like end a line inside a caption


def kept(answer):
    """Returns the tokens of the jar's answer that ptbtokenizer.py keeps."""
    return [w for w in answer.rstrip().split(" ") if w and w not in ptbtokenizer.PUNCTUATIONS]


def tokenize(lines):
    asked = PTBTokenizer().tokenize({i: [{"caption": line}] for i, line in enumerate(lines)})
    return [asked[i][0].split() for i in range(len(lines))]


def main():
    framed = [f.format(c) for cases in CASES.values() for c in cases.split(" | ") for f in FRAMES]
    long = ["x" * 5000, "ab-" * 1000, "a." * 1000, "'" * 1000, "1," * 1000 + "1"]
    texts = list(dict.fromkeys(["", " "] + framed + long))
    texts = [t for t in texts if "\u2028" not in t]  # the reference treats it as the end of a line and miscounts
    tokens = tokenize([t if t.strip() else "x " + t for t in texts])
    cases = [{"text": t, "tokens": k if t.strip() else k[1:]} for t, k in zip(texts, tokens)]
    with open(HERE / "ptb_cases.json", "w", encoding="utf-8") as f:
        f.write("[\n" + ",\n".join(json.dumps(c, ensure_ascii=True) for c in cases) + "\n]\n")
    if len(sys.argv) == 2:
        with open(sys.argv[1], encoding="utf-8", newline="\n") as f:
            captions = [line.rstrip("\n").split("\t", 1)[1].replace("\r", " ") for line in f]
        lines = [" ".join(t) for t in tokenize(captions)]
        blocks = ["".join(line + "\n" for line in lines[i:i + BLOCK]) for i in range(0, len(lines), BLOCK)]
        hashes = [hashlib.sha256(b.encode()).hexdigest() for b in blocks]
        out = {"captions": len(lines), "block": BLOCK, "sha256": hashes}
        (HERE / "ptb_flickr8k.json").write_text(json.dumps(out, indent=0) + "\n")


if __name__ == "__main__":
    main()
