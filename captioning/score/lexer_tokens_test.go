package score

import (
	"math/rand/v2"
	"strings"
)

// tokenKinds are kinds of tokens; "|" separates examples. In them, 0 stands for any digit, and pick changes the case
// of some.
var tokenKinds = []string{
	"a|dog|Dog|the|red|isn|xx|can|and|AND|I|x|X|cannot|gonna|wanna",
	"The|However|In|He|A|Mr|It|That|We|Then|Ms.",
	"it's|dogs'|dog’s|I'm|we've|they're|he'd|she'll|y'all|James's|it`s|dog‘s",
	"don't|isn't|can’t|ain't|can`t|n't|couldn't've|wo n't|don&apos;t",
	"O'Neill|d'Artagnan|o'clock|l'eau|D'Ab-c|B'day|hallowe'en|ma'am|ha'penny|sa'Ab|e'er|5-o'clock",
	"'tis|'twas|'em|'til|'cause|'n'|'n|'00s|'00|rock'n'roll|more'n|ol'|c'mon|li'l|dunkin'|cap'n|nat'l",
	"Mr.|mrs.|Dr.|St.|etc.|Inc.|Jan.|Ave.|Blvd.|vs.|Co.|MFG.|pty.|Pa.|pa.|la.|Mass.|ill.|Prof.|Ph.D.|supts.|bancorp.",
	"no.|No.|nos.|fig.|pp.|art.|ca.|op.|prop.|NO.|Figs.",
	"U.S.|u.s.|a.m.|P.M.|e.g.|i.e.|J.K.|U.S.A.|K.|x.|B.|a.k.a.|T.V|A.B.c|A.-B.|é.A.",
	"a.b|aa.bb|yahoo!news|what?ever|a5.bb|aa.5b|e.t.c|dog.The|aa.bb-cc|é.é",
	"t-shirt|black-and-white|10-year-old|x-ray|a-b-c-d-e|-like|pre-|pro-|anti-|co-op|a_b|a__b|é-a|e\u0301-a|" +
		"a‐b|a‑b|so\u00adft|\u00ad",
	"and/or|a/b/c|a/b/c/d|a-b/c|w/|/a|a\\/b|a/b-c-d-e|5/a|é/a|a//b",
	"0|00|000|0000|0,000|0.0|.0|-0|+0|-.0|0:00|00:00pm|0,000.00|0.0.0|0..0|0x0|٣|٣.٤|0٫0|-0,00|0000000",
	"0/0|00/00|½|¼|¾|⅓|⅔|0 0/0|0-0/0|0⁄0|0 ½|0½|0\\/0|00000/0|0/00000|000 00/000|⅛|0 0⁄0",
	"00/00/0000|0000-00-00|00-00-00|00.00.0000|0/0/0/0|Jan. 0, 0000|0000s|00th|0st|0-0-0",
	"000-0000|000 0000|(000) 000-0000|(000)000-0000|0-000-000-0000|00 000 000|+00 00 0000 0000|000 000 0000|" +
		"0000 000 00000|(00) 000 0000|00 000",
	"$0|$0.00|US$ 0|€0|£0|¢|0¢|₩0|₠|¥|A$|Us$|₹0|$|¤|0$|C$0",
	"0ft|0\"|0'|0'0|0'0\"|0°|0%|00 %|0mph|0x0|0-inch|0.0-inch|1,000-b|0lbs.|0 ft.",
	"(|)|()|(a)|((|[|]|[a]|{|}|-LRB-|-rrb-|-lcb-|-RSB-|(0)|（|）|「|」|【",
	"\"|''|``|“|”|‘|’|«|»|‹|›|„|‚|‛|‟|\"a\"|'a'|“a”|&quot;|'''|‘‘|””|”’",
	".|..|...|....|…|. . .|. .|?|!|?!|!!|!?!|。|、|،|؟|¿|¡|‼|⁉|.,|.;|,.",
	",|;|:|,,|;;|::|,;|，|；|：|·|•|‧",
	"-|--|---|----|-----|–|—|―|‒|−|‐|‑|-–|~|〜|〰",
	"http://a.b|https://ab.cd/e?f=g&h|HTTP://X|http://|www.ab.com|www.a.b/cd|ab.com|ab.org/xy|ab.edu/x|" +
		"ab.com/x/y.|é.net|a#b.com|http://ab.c,-|www.é.com",
	"a@b|me@ab.com|a.b@c.d.|<a@b>|@|@a|@a_0|é@b|a'b@c|&lt;a@b&gt;|a@b,c|a,b@c-d|<a@b",
	":)|:-)|;(|:D|:P|=)|:'(|:o)|<:)|>:(|^_^|-_-|>_<|:3|:/|XD|(>_<)|(=-)|=_=|:|;)|:]|:@|(^.^)|(--)",
	"<b>|</b>|<br/>|<br />|<a href=\"x y\">|<a b='c'>|<!-- a b -->|<!DOCTYPE x>|<?xml a?>|<|>|<<|>>|<3|<-|->|" +
		"<a b>|< a>|<a b=c>|<!-- a|<a",
	"&ht;|&odq;|&lr;|&amp;|&lt;|&gt;|&nbsp;|&apos;|&#00;|&eacute;|caf&eacute;|&AMP;|&copy;|&mdash;|&ndash;|&|" +
		"&&|&Uuml;ber|&#x00;|&quot;",
	"#tag|#|##|#0|#a0|#é|#a_b|a#b|C#|F#|c++|C++|G#|*|**|\\*|a*b|+|++|a+b|A+B|=|==|%|^|_|__|\\|/|//",
	"AT&T|R&B|M&M|m&m|A&amp;T|AA&BB|A&B&C|a&b|Q&A|A& B|A&B.|É&A",
	"😀|👍🏽|❤️|♥|☺|★|✓|©|®|™|°|🇺🇸|👨‍👩‍👧|\ufe0f|𝐀|𐐀|Ⓐ|ⓐ",
	"日本語|中文。|〜|〃|〇|《|》|한국어|ひらがな|カタカナ|Ⅳ|ⅳ|㈱|々|ー|・|ｆｕｌｌ|００",
	"é|É|naïve|café|straße|İstanbul|Σ|ΟΔΟΣ|ΟΔΟΣ'Α|ñ|e\u0301|\u0301|Москва|العربية|हिन्दी|ไทย|ª|º|ǅ|ﬁsh|ſ|\u212a",
	"²|³|¹|₂|H₂O|m²|×|÷|±|≤|→|←|∞|√|µ|Ω|§|¶|¬|¦|¨|¯|´|¸",
	" |  |\t|\u0085|\u00a0|\u2028|\u2029|\r|\v|\f|\u2000|\u3000|\u200b|\u200d|\ufeff|\u0001|\u007f|\u00ad|" +
		"\u2007|\u202f|\u1680|\x1c",
	"photo.jpg|1.jpg|a.doc|img_0.png|a.b.gz|x.mp3|.jpg|a.jpgx|index.html|\u00ad.x",
	"a,b-c|red,blue-green|a.,-b|aa.;|aa.,|0.,|aa-bb.,|a/b.,|A&B.,|aa.-bb|0.-a|a,b,c|a.b-c-d",
}

// pick returns one of the examples of a kind.
func pick(random *rand.Rand, kind string) string {
	examples := strings.Split(kind, "|")
	text := examples[random.IntN(len(examples))]
	switch random.IntN(8) {
	case 0:
		text = strings.ToUpper(text)
	case 1:
		text = strings.ToLower(text)
	}
	var out strings.Builder
	for _, c := range text {
		if c == '0' {
			c = '0' + random.Int32N(10)
		}
		out.WriteRune(c)
	}
	return out.String()
}
