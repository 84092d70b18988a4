/* expert_prompt.c -- the five questions, as text.
 *
 * A change here changes what a run in progress asks: `refiner label` notices it
 * by the hash of each question and refuses to go on with answers to others. */
#include "base/utf8.h"
#include "teach/expert.h"

#include <assert.h>

static const char *const NAMES[] = {"education", "format", "navigation", "links", "footer"};

const char *expert_question_name(enum expert_question q)
{
    assert(q < EXPERT_QUESTIONS);
    return NAMES[q];
}

const char *const EXPERT_SYSTEM =
    "You check web pages that may become training text of a language model. You are exact, you "
    "answer in the form that is asked for, and you never invent text.";

static const char EDUCATION[] =
    "How much could a pupil or student learn from the text below? Count from 0 to 5: start at 0 "
    "and add one point for each step that the text reaches, in this order, until it misses one.\n"
    "\n"
    "1. It has something worth knowing about a subject that is taught, even if advertising or "
    "idle talk surrounds it.\n"
    "2. Much of it is about such a subject, though loosely put together, superficial or mixed with "
    "other matters.\n"
    "3. A teacher could use it: it explains ideas of a curriculum, in order and understandably, "
    "even if parts are missing or off the subject, or too hard for beginners.\n"
    "4. It reads like a good section of a textbook or a worked lesson: clear, consistent, little "
    "in it is beside the point, exercises or solutions may be part of it.\n"
    "5. It is outstanding teaching for learners up to secondary school: thorough, well paced, easy "
    "to follow, nothing is off the subject.\n"
    "\n"
    "Give your reasons in at most 100 words. Then end with one line of exactly this form, your "
    "number in place of N:\n"
    "Educational score: N\n";

static const char FORMAT[] =
    "The text below was taken out of a web page by a program. How well did that go, whatever the "
    "page is about? Count from 0 to 5: start at 0 and add one point for each step that the text "
    "reaches, in this order, until it misses one.\n"
    "\n"
    "1. The core of the page is there and can be read.\n"
    "2. Tags, scripts, styles and broken characters are gone, or so few that they do not matter.\n"
    "3. Most of it is one coherent text; menus, advertisements and lists of links are few and do "
    "not tear it apart.\n"
    "4. An editor would have little left to do: sentences are whole and in order, only traces of "
    "the page around are left.\n"
    "5. Nothing is missing, nothing is foreign to the text, and paragraphs and headings are as "
    "they should be.\n"
    "\n"
    "Give your reasons in at most 100 words. Then end with one line of exactly this form, your "
    "number in place of N:\n"
    "Extraction score: N\n";

/* What all three chunk questions say of programs; the kind of noise follows. */
static const char PROGRAMS[] =
    "Below are lines of a web page, each with its number in brackets in front. Write a program "
    "that takes one kind of noise out of them, and nothing else. A program has one call a line, "
    "and there are three calls:\n"
    "\n"
    "remove_lines(line_start=A, line_end=B)\n"
    "    takes out lines A to B, both included. For lines that hold nothing but noise.\n"
    "normalize(source_str=\"X\")\n"
    "    takes out the string X, which must stand exactly once in the lines; with all=true it is "
    "taken out wherever it stands. For noise in a line that also holds text worth keeping.\n"
    "keep_chunk()\n"
    "    changes nothing. For lines without this kind of noise.\n"
    "\n"
    "Use the numbers as they are shown, not one more or less. Copy strings letter by letter. If "
    "you "
    "are not sure that something is noise, leave it. First say in a sentence or two what you see; "
    "then write the program between two lines of three backquotes, as in the examples.\n"
    "\n";

static const char NAVIGATION[] =
    "The noise to take out: what leads around the site and stands before the text, such as "
    "menus, breadcrumbs, log-in and search boxes, language choices, skip links. The title of the "
    "text, its author and its date are not noise.\n"
    "\n"
    "Example 1\n"
    "[doc]\n"
    "[000]Home\n"
    "[001]Shop | Cart | Sign in\n"
    "[002]How bees find their way\n"
    "[003]A forager keeps the sun at a fixed angle while it flies out.\n"
    "[/doc]\n"
    "Lines 0 and 1 are a menu; line 2 is the title.\n"
    "```\n"
    "remove_lines(line_start=0, line_end=1)\n"
    "```\n"
    "\n"
    "Example 2\n"
    "[doc]\n"
    "[014]The second law says that heat does not flow uphill by itself.\n"
    "[015]This is why a refrigerator needs work.\n"
    "[/doc]\n"
    "These lines are running text.\n"
    "```\n"
    "keep_chunk()\n"
    "```\n"
    "\n"
    "Example 3\n"
    "[doc]\n"
    "[000]Skip to content\n"
    "[001]Repairing a puncture\n"
    "[002]By J. Wells, 4 May\n"
    "[003]Guides > Bicycles > Wheels\n"
    "[004]Search this site\n"
    "[005]Take the wheel off and let out what air is left.\n"
    "[/doc]\n"
    "Line 0 is a skip link, 3 and 4 are a breadcrumb and a search box; title, author and date "
    "stay.\n"
    "```\n"
    "remove_lines(line_start=0, line_end=0)\n"
    "remove_lines(line_start=3, line_end=4)\n"
    "```\n"
    "\n"
    "Example 4\n"
    "[doc]\n"
    "[000]Menu Close The history of glass\n"
    "[001]Glass was first made as beads.\n"
    "[/doc]\n"
    "Line 0 holds the title behind the words of a menu button.\n"
    "```\n"
    "normalize(source_str=\"Menu Close \")\n"
    "```\n"
    "\n";

static const char LINKS[] =
    "The noise to take out: addresses of web pages and mailboxes, and lines that are nothing but "
    "links. Where an address is what the text is about (how to write one, say), it is not noise.\n"
    "\n"
    "Example 1\n"
    "[doc]\n"
    "[003]The survey covered 40 villages (see http://survey.example/40 for the tables).\n"
    "[004]http://survey.example/contact\n"
    "[005]Rainfall was the same in all of them.\n"
    "[/doc]\n"
    "Line 4 is only an address; in line 3 one stands in a sentence.\n"
    "```\n"
    "normalize(source_str=\" (see http://survey.example/40 for the tables)\")\n"
    "remove_lines(line_start=4, line_end=4)\n"
    "```\n"
    "\n"
    "Example 2\n"
    "[doc]\n"
    "[010]An address starts with its scheme, as in ftp://host/file, and a colon.\n"
    "[/doc]\n"
    "The address is the example that the sentence explains.\n"
    "```\n"
    "keep_chunk()\n"
    "```\n"
    "\n"
    "Example 3\n"
    "[doc]\n"
    "[021]Read more: www.garden.example/roses\n"
    "[022]www.garden.example/tulips\n"
    "[023]Roses want sun. [www.garden.example] Cut them in March.\n"
    "[024]Water them in dry weather. [www.garden.example]\n"
    "[/doc]\n"
    "Lines 21 and 22 are links; the same address stands in brackets in two sentences.\n"
    "```\n"
    "remove_lines(line_start=21, line_end=22)\n"
    "normalize(source_str=\" [www.garden.example]\", all=true)\n"
    "```\n"
    "\n";

static const char FOOTER[] =
    "The noise to take out: what stands behind the text, such as copyright and licence notices, "
    "imprint and contact lines, share and follow buttons, related articles, lists of sources and "
    "references, comment forms, tags. The last sentences of the text itself are not noise.\n"
    "\n"
    "Example 1\n"
    "[doc]\n"
    "[030]So the bridge has stood for two hundred years.\n"
    "[031]Share on social media\n"
    "[032]You may also like: Ten famous towers\n"
    "[033](c) 2019 Bridges Monthly. All rights reserved.\n"
    "[/doc]\n"
    "The text ends with line 30.\n"
    "```\n"
    "remove_lines(line_start=31, line_end=33)\n"
    "```\n"
    "\n"
    "Example 2\n"
    "[doc]\n"
    "[008]Boil the jars for ten minutes.\n"
    "[009]Fill them while they are hot.\n"
    "[/doc]\n"
    "These lines are part of the text.\n"
    "```\n"
    "keep_chunk()\n"
    "```\n"
    "\n"
    "Example 3\n"
    "[doc]\n"
    "[051]The colony moved on in spring. Posted in: Nature Leave a comment\n"
    "[052]References\n"
    "[053]1. A. Brandt, Ants of the north, 1987.\n"
    "[054]2. O. Lind, Nests, 1991.\n"
    "[/doc]\n"
    "Lines 52 to 54 are sources; line 51 ends with words of the page.\n"
    "```\n"
    "normalize(source_str=\" Posted in: Nature Leave a comment\")\n"
    "remove_lines(line_start=52, line_end=54)\n"
    "```\n"
    "\n";

void expert_ask_document(enum expert_question q, struct str text, size_t bytes_max, struct buf *out)
{
    assert(q < EXPERT_OF_DOCUMENT);
    buf_add_text(out, q == EXPERT_EDUCATION ? EDUCATION : FORMAT);
    buf_add_text(out, "\nThe text:\n[doc]\n");
    buf_add_str(out, utf8_cut(text, bytes_max));
    buf_add_text(out, "\n[/doc]");
}

void expert_ask_chunk(enum expert_question q, const struct chunk *c, struct buf *out)
{
    assert(q >= EXPERT_OF_DOCUMENT && q < EXPERT_QUESTIONS);
    buf_add_text(out, PROGRAMS);
    buf_add_text(out, q == EXPERT_NAVIGATION ? NAVIGATION : q == EXPERT_LINKS ? LINKS : FOOTER);
    buf_add_text(out, "Your task\n");
    chunk_render(c, LINE_NUMBERS_BRACKETS, out);
}
