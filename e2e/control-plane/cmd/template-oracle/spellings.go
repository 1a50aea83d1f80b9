package main

import (
	"fmt"
	"strings"
)

// texts go wherever a string goes, as value and as map key: plain ones, what
// users really write, and every class of character that an encoder can treat
// in its own way or that sorts differently as bytes and as UTF-16.
var texts = []string{
	"", "a", "A", "app", "main", "nginx:1.27", "app.kubernetes.io/name", "9", "10", "-", "_",
	"<html> & \"quotes\"", "a<b", "a>b", "a&b", "back\\slash", "/slash/", "it's",
	"tab\there", "line\nbreak", "return\rhere", "bell\a", "backspace\b feed\f", "nul\x00", "escape\x1b", "unit\x1f", "delete\x7f",
	"separator\u2028line", "separator\u2029paragraph", "next\u0085line", "no-break\u00a0space", "\ufeffmark",
	"grüße", "日本語", "emoji 🚀", "\U00010000", "\uffff", "\ufffd", "e\u0301", "zażółć",
	"{\"json\":[1,2]}", "$(VAR)", "${var}", "%s", "null", "true", "1.0", " leading and trailing ",
	strings.Repeat("x", 300),
}

var portsAndPercents = []string{"http", "25%", "0%", "100%", "8080", "", "-1", "a<b"}

// times are in the forms that Go reads; it writes all of them in UTC without
// fractions. The year 1 is missing: a pointer to it is written as null, and what
// reads that leaves it out, so that a template with it has two hashes.
var times = []string{
	"2024-02-29T23:59:59Z", "2024-01-02T03:04:05+02:00", "2024-12-31T23:30:00-05:45", "1970-01-01T00:00:00Z",
	"2024-06-01T12:00:00.123456789Z", "2024-06-01T12:00:00.5+01:00", "9999-12-31T23:59:59Z",
}

var rawValues = []string{`{}`, `{"f:metadata":{"f:labels":{".":{},"f:app":{}}}}`, `{ "b" : 1, "a" : [ true, null ] }`, `{"k:{\"name\":\"a<b\"}":{}}`}

// quantityTexts are spellings with a trap in them each: a form that is not
// canonical, a rounding, a limit, or a number beyond 64 bits.
var quantityTexts = []string{
	"0", "0m", "0Ki", "-0", "+5", ".5", "5.", "00012", "1.0", "1.50", "0.5", "0.0001", "0.001", "1.001", "1e3", "1E3", "1e-3", "12e6", "1.5e2",
	"1000m", "1500m", "999m", "100k", "1000k", "0.5k", "1M", "1.5M", "1000000", "1200000", "1G", "1T", "1P", "1E", "10E",
	"1024", "1Ki", "1024Ki", "1.5Ki", "0.5Ki", "0.1Ki", "1536Mi", "1Gi", "0.5Gi", "1Ti", "1Pi", "1Ei", "1.25Ei", "8Ei", "16Ei", "-1Gi", "-500m",
	"1n", "1u", "100n", "1500u", "0.1n", "0.0000000001", "1e-10", "-1e-10", "1.0000000001", "1.123456789", "1.1234567891",
	"9223372036854775807", "9223372036854775808", "-9223372036854775808", "9223372036854775807Ki", "123456789012345678901234567890", "0.123456789012345678901234567890",
	"1e18", "1e19", "1e30", "5e-1", "1024e3", "12345678901234567.89", "999999999999999999999m", "1023Ki", "1048576", "3Mi", "1.000Mi",
}

// quantity writes one as a string or, as YAML often does, as a bare number;
// bare ones only in forms that survive a storage that decodes numbers.
func (g *generator) quantity() {
	switch {
	case g.chance(15):
		g.out.WriteString(pick(g, []string{"0", "1", "2", "0.5", "0.25", "100", "1024", "-1"}))
	case g.chance(50):
		g.text(pick(g, quantityTexts))
	default:
		g.text(g.randomQuantity())
	}
}

func (g *generator) randomQuantity() string {
	number := fmt.Sprint(g.Int64N([]int64{10, 1000, 100_000, 1 << 40}[g.IntN(4)]))
	if g.chance(40) {
		number += fmt.Sprintf(".%0*d", 1+g.IntN(6), g.IntN(1_000))
	}
	if g.chance(5) {
		number = "-" + number
	}
	suffixes := []string{"", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "e0", "e1", "e3", "E6", "e-2", "e-9"}
	return number + pick(g, suffixes)
}
