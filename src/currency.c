/*
 * currency.c
 *		The ISO 4217 table and its look-up.
 *
 * The list of June 2024 with amendments 176 to 180, and the better-known codes
 * withdrawn since 2007.  Amounts are stored in minor units, so a line that was
 * once released is never changed or removed: a new currency is added in its
 * place by the alphabet, a withdrawn one is marked.  Names are plain ASCII,
 * that they may be read in a database of any encoding.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "currency.h"

PG_FUNCTION_INFO_V1(money_ccy_currencies);

/* Metals, units of account and test codes: in the standard, but nobody pays with them. */
#define NO_MINOR_UNIT (-1)

/* Sorted by code.  Code, numeric code, minor units, withdrawn, name. */
/* clang-format off */
static const Currency currencies[] = {
	{"AED", 784, 2, false, "UAE Dirham"},
	{"AFN", 971, 2, false, "Afghani"},
	{"ALL", 8, 2, false, "Lek"},
	{"AMD", 51, 2, false, "Armenian Dram"},
	{"ANG", 532, 2, true, "Netherlands Antillean Guilder"},
	{"AOA", 973, 2, false, "Kwanza"},
	{"ARS", 32, 2, false, "Argentine Peso"},
	{"AUD", 36, 2, false, "Australian Dollar"},
	{"AWG", 533, 2, false, "Aruban Florin"},
	{"AZN", 944, 2, false, "Azerbaijan Manat"},
	{"BAM", 977, 2, false, "Convertible Mark"},
	{"BBD", 52, 2, false, "Barbados Dollar"},
	{"BDT", 50, 2, false, "Taka"},
	{"BGN", 975, 2, true, "Bulgarian Lev"},
	{"BHD", 48, 3, false, "Bahraini Dinar"},
	{"BIF", 108, 0, false, "Burundi Franc"},
	{"BMD", 60, 2, false, "Bermudian Dollar"},
	{"BND", 96, 2, false, "Brunei Dollar"},
	{"BOB", 68, 2, false, "Boliviano"},
	{"BOV", 984, 2, false, "Mvdol"},
	{"BRL", 986, 2, false, "Brazilian Real"},
	{"BSD", 44, 2, false, "Bahamian Dollar"},
	{"BTN", 64, 2, false, "Ngultrum"},
	{"BWP", 72, 2, false, "Pula"},
	{"BYN", 933, 2, false, "Belarusian Ruble"},
	{"BYR", 974, 0, true, "Belarusian Ruble"},
	{"BZD", 84, 2, false, "Belize Dollar"},
	{"CAD", 124, 2, false, "Canadian Dollar"},
	{"CDF", 976, 2, false, "Congolese Franc"},
	{"CHE", 947, 2, false, "WIR Euro"},
	{"CHF", 756, 2, false, "Swiss Franc"},
	{"CHW", 948, 2, false, "WIR Franc"},
	{"CLF", 990, 4, false, "Unidad de Fomento"},
	{"CLP", 152, 0, false, "Chilean Peso"},
	{"CNY", 156, 2, false, "Yuan Renminbi"},
	{"COP", 170, 2, false, "Colombian Peso"},
	{"COU", 970, 2, false, "Unidad de Valor Real"},
	{"CRC", 188, 2, false, "Costa Rican Colon"},
	{"CUC", 931, 2, true, "Peso Convertible"},
	{"CUP", 192, 2, false, "Cuban Peso"},
	{"CVE", 132, 2, false, "Cabo Verde Escudo"},
	{"CYP", 196, 2, true, "Cyprus Pound"},
	{"CZK", 203, 2, false, "Czech Koruna"},
	{"DJF", 262, 0, false, "Djibouti Franc"},
	{"DKK", 208, 2, false, "Danish Krone"},
	{"DOP", 214, 2, false, "Dominican Peso"},
	{"DZD", 12, 2, false, "Algerian Dinar"},
	{"EEK", 233, 2, true, "Kroon"},
	{"EGP", 818, 2, false, "Egyptian Pound"},
	{"ERN", 232, 2, false, "Nakfa"},
	{"ETB", 230, 2, false, "Ethiopian Birr"},
	{"EUR", 978, 2, false, "Euro"},
	{"FJD", 242, 2, false, "Fiji Dollar"},
	{"FKP", 238, 2, false, "Falkland Islands Pound"},
	{"GBP", 826, 2, false, "Pound Sterling"},
	{"GEL", 981, 2, false, "Lari"},
	{"GHC", 288, 2, true, "Cedi"},
	{"GHS", 936, 2, false, "Ghana Cedi"},
	{"GIP", 292, 2, false, "Gibraltar Pound"},
	{"GMD", 270, 2, false, "Dalasi"},
	{"GNF", 324, 0, false, "Guinean Franc"},
	{"GTQ", 320, 2, false, "Quetzal"},
	{"GYD", 328, 2, false, "Guyana Dollar"},
	{"HKD", 344, 2, false, "Hong Kong Dollar"},
	{"HNL", 340, 2, false, "Lempira"},
	{"HRK", 191, 2, true, "Kuna"},
	{"HTG", 332, 2, false, "Gourde"},
	{"HUF", 348, 2, false, "Forint"},
	{"IDR", 360, 2, false, "Rupiah"},
	{"ILS", 376, 2, false, "New Israeli Sheqel"},
	{"INR", 356, 2, false, "Indian Rupee"},
	{"IQD", 368, 3, false, "Iraqi Dinar"},
	{"IRR", 364, 2, false, "Iranian Rial"},
	{"ISK", 352, 0, false, "Iceland Krona"},
	{"JMD", 388, 2, false, "Jamaican Dollar"},
	{"JOD", 400, 3, false, "Jordanian Dinar"},
	{"JPY", 392, 0, false, "Yen"},
	{"KES", 404, 2, false, "Kenyan Shilling"},
	{"KGS", 417, 2, false, "Som"},
	{"KHR", 116, 2, false, "Riel"},
	{"KMF", 174, 0, false, "Comorian Franc"},
	{"KPW", 408, 2, false, "North Korean Won"},
	{"KRW", 410, 0, false, "Won"},
	{"KWD", 414, 3, false, "Kuwaiti Dinar"},
	{"KYD", 136, 2, false, "Cayman Islands Dollar"},
	{"KZT", 398, 2, false, "Tenge"},
	{"LAK", 418, 2, false, "Lao Kip"},
	{"LBP", 422, 2, false, "Lebanese Pound"},
	{"LKR", 144, 2, false, "Sri Lanka Rupee"},
	{"LRD", 430, 2, false, "Liberian Dollar"},
	{"LSL", 426, 2, false, "Loti"},
	{"LTL", 440, 2, true, "Lithuanian Litas"},
	{"LVL", 428, 2, true, "Latvian Lats"},
	{"LYD", 434, 3, false, "Libyan Dinar"},
	{"MAD", 504, 2, false, "Moroccan Dirham"},
	{"MDL", 498, 2, false, "Moldovan Leu"},
	{"MGA", 969, 2, false, "Malagasy Ariary"},
	{"MKD", 807, 2, false, "Denar"},
	{"MMK", 104, 2, false, "Kyat"},
	{"MNT", 496, 2, false, "Tugrik"},
	{"MOP", 446, 2, false, "Pataca"},
	{"MRO", 478, 2, true, "Ouguiya"},
	{"MRU", 929, 2, false, "Ouguiya"},
	{"MTL", 470, 2, true, "Maltese Lira"},
	{"MUR", 480, 2, false, "Mauritius Rupee"},
	{"MVR", 462, 2, false, "Rufiyaa"},
	{"MWK", 454, 2, false, "Malawi Kwacha"},
	{"MXN", 484, 2, false, "Mexican Peso"},
	{"MXV", 979, 2, false, "Mexican Unidad de Inversion (UDI)"},
	{"MYR", 458, 2, false, "Malaysian Ringgit"},
	{"MZN", 943, 2, false, "Mozambique Metical"},
	{"NAD", 516, 2, false, "Namibia Dollar"},
	{"NGN", 566, 2, false, "Naira"},
	{"NIO", 558, 2, false, "Cordoba Oro"},
	{"NOK", 578, 2, false, "Norwegian Krone"},
	{"NPR", 524, 2, false, "Nepalese Rupee"},
	{"NZD", 554, 2, false, "New Zealand Dollar"},
	{"OMR", 512, 3, false, "Rial Omani"},
	{"PAB", 590, 2, false, "Balboa"},
	{"PEN", 604, 2, false, "Sol"},
	{"PGK", 598, 2, false, "Kina"},
	{"PHP", 608, 2, false, "Philippine Peso"},
	{"PKR", 586, 2, false, "Pakistan Rupee"},
	{"PLN", 985, 2, false, "Zloty"},
	{"PYG", 600, 0, false, "Guarani"},
	{"QAR", 634, 2, false, "Qatari Rial"},
	{"RON", 946, 2, false, "Romanian Leu"},
	{"RSD", 941, 2, false, "Serbian Dinar"},
	{"RUB", 643, 2, false, "Russian Ruble"},
	{"RWF", 646, 0, false, "Rwanda Franc"},
	{"SAR", 682, 2, false, "Saudi Riyal"},
	{"SBD", 90, 2, false, "Solomon Islands Dollar"},
	{"SCR", 690, 2, false, "Seychelles Rupee"},
	{"SDG", 938, 2, false, "Sudanese Pound"},
	{"SEK", 752, 2, false, "Swedish Krona"},
	{"SGD", 702, 2, false, "Singapore Dollar"},
	{"SHP", 654, 2, false, "Saint Helena Pound"},
	{"SIT", 705, 2, true, "Tolar"},
	{"SKK", 703, 2, true, "Slovak Koruna"},
	{"SLE", 925, 2, false, "Leone"},
	{"SLL", 694, 2, true, "Leone"},
	{"SOS", 706, 2, false, "Somali Shilling"},
	{"SRD", 968, 2, false, "Surinam Dollar"},
	{"SSP", 728, 2, false, "South Sudanese Pound"},
	{"STD", 678, 2, true, "Dobra"},
	{"STN", 930, 2, false, "Dobra"},
	{"SVC", 222, 2, false, "El Salvador Colon"},
	{"SYP", 760, 2, false, "Syrian Pound"},
	{"SZL", 748, 2, false, "Lilangeni"},
	{"THB", 764, 2, false, "Baht"},
	{"TJS", 972, 2, false, "Somoni"},
	{"TMM", 795, 2, true, "Turkmenistan Manat"},
	{"TMT", 934, 2, false, "Turkmenistan New Manat"},
	{"TND", 788, 3, false, "Tunisian Dinar"},
	{"TOP", 776, 2, false, "Pa'anga"},
	{"TRY", 949, 2, false, "Turkish Lira"},
	{"TTD", 780, 2, false, "Trinidad and Tobago Dollar"},
	{"TWD", 901, 2, false, "New Taiwan Dollar"},
	{"TZS", 834, 2, false, "Tanzanian Shilling"},
	{"UAH", 980, 2, false, "Hryvnia"},
	{"UGX", 800, 0, false, "Uganda Shilling"},
	{"USD", 840, 2, false, "US Dollar"},
	{"USN", 997, 2, false, "US Dollar (Next day)"},
	{"UYI", 940, 0, false, "Uruguay Peso en Unidades Indexadas (UI)"},
	{"UYU", 858, 2, false, "Peso Uruguayo"},
	{"UYW", 927, 4, false, "Unidad Previsional"},
	{"UZS", 860, 2, false, "Uzbekistan Sum"},
	{"VEB", 862, 2, true, "Bolivar"},
	{"VED", 926, 2, false, "Bolivar Soberano"},
	{"VEF", 937, 2, true, "Bolivar"},
	{"VES", 928, 2, false, "Bolivar Soberano"},
	{"VND", 704, 0, false, "Dong"},
	{"VUV", 548, 0, false, "Vatu"},
	{"WST", 882, 2, false, "Tala"},
	{"XAD", 396, 2, false, "Arab Accounting Dinar"},
	{"XAF", 950, 0, false, "CFA Franc BEAC"},
	{"XAG", 961, NO_MINOR_UNIT, false, "Silver"},
	{"XAU", 959, NO_MINOR_UNIT, false, "Gold"},
	{"XBA", 955, NO_MINOR_UNIT, false, "Bond Markets Unit European Composite Unit (EURCO)"},
	{"XBB", 956, NO_MINOR_UNIT, false, "Bond Markets Unit European Monetary Unit (E.M.U.-6)"},
	{"XBC", 957, NO_MINOR_UNIT, false, "Bond Markets Unit European Unit of Account 9 (E.U.A.-9)"},
	{"XBD", 958, NO_MINOR_UNIT, false, "Bond Markets Unit European Unit of Account 17 (E.U.A.-17)"},
	{"XCD", 951, 2, false, "East Caribbean Dollar"},
	{"XCG", 532, 2, false, "Caribbean Guilder"},
	{"XDR", 960, NO_MINOR_UNIT, false, "SDR (Special Drawing Right)"},
	{"XOF", 952, 0, false, "CFA Franc BCEAO"},
	{"XPD", 964, NO_MINOR_UNIT, false, "Palladium"},
	{"XPF", 953, 0, false, "CFP Franc"},
	{"XPT", 962, NO_MINOR_UNIT, false, "Platinum"},
	{"XSU", 994, NO_MINOR_UNIT, false, "Sucre"},
	{"XTS", 963, NO_MINOR_UNIT, false, "Codes specifically reserved for testing purposes"},
	{"XUA", 965, NO_MINOR_UNIT, false, "ADB Unit of Account"},
	{"XXX", 999, NO_MINOR_UNIT, false, "The codes assigned for transactions where no currency is involved"},
	{"YER", 886, 2, false, "Yemeni Rial"},
	{"ZAR", 710, 2, false, "Rand"},
	{"ZMK", 894, 2, true, "Zambian Kwacha"},
	{"ZMW", 967, 2, false, "Zambian Kwacha"},
	{"ZWG", 924, 2, false, "Zimbabwe Gold"},
	{"ZWL", 932, 2, true, "Zimbabwe Dollar"},
};
/* clang-format on */

/* The table's line for a code, usable or not. */
static const Currency *
search_table(const char *code)
{
	int32  wanted = currency_code_number(code);
	size_t low = 0;
	size_t high = lengthof(currencies);

	while (low < high)
	{
		size_t middle = (low + high) / 2;
		int32  found = currency_code_number(currencies[middle].code);

		if (found == wanted)
			return &currencies[middle];
		if (found < wanted)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static inline bool
is_payment_currency(const Currency *currency)
{
	return currency->minor_units != NO_MINOR_UNIT;
}

const Currency *
find_currency(const char *code)
{
	const Currency *currency = search_table(code);

	return currency != NULL && is_payment_currency(currency) ? currency : NULL;
}

const Currency *
get_currency(const char *code)
{
	const Currency *currency = find_currency(code);

	if (unlikely(currency == NULL))
		elog(ERROR, "money_ccy holds no currency code: %02X%02X%02X",
			 (unsigned char) code[0], (unsigned char) code[1], (unsigned char) code[2]);
	return currency;
}

/* False if it cannot be a code for its length alone. */
static bool
fold_code(const char *text, size_t length, char *code)
{
	if (length != CURRENCY_CODE_LENGTH)
		return false;
	for (int i = 0; i < CURRENCY_CODE_LENGTH; i++)
		code[i] = pg_ascii_toupper((unsigned char) text[i]);
	code[CURRENCY_CODE_LENGTH] = '\0';
	return true;
}

const Currency *
find_currency_by_text(const char *text, size_t length)
{
	char code[CURRENCY_CODE_LENGTH + 1];

	return fold_code(text, length, code) ? find_currency(code) : NULL;
}

char *
explain_unusable_currency(const char *text, size_t length)
{
	char code[CURRENCY_CODE_LENGTH + 1];

	if (!fold_code(text, length, code))
		return pstrdup("A currency code has three letters, as in ISO 4217.");
	if (search_table(code) != NULL)
		return psprintf("Currency \"%s\" has no minor unit: it is not a currency of payment.", code);
	return psprintf("Currency code \"%s\" is not recognized.", code);
}

/* One row for every currency of payment; the view storecredit.currency shows them. */
Datum
money_ccy_currencies(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (size_t i = 0; i < lengthof(currencies); i++)
	{
		const Currency *currency = &currencies[i];
		bool            nulls[5] = { false };
		Datum           row[5];

		if (!is_payment_currency(currency))
			continue;
		row[0] = CStringGetTextDatum(currency->code);
		row[1] = CStringGetTextDatum(psprintf("%03d", currency->numeric_code));
		row[2] = Int16GetDatum(currency->minor_units);
		row[3] = CStringGetTextDatum(currency->name);
		row[4] = BoolGetDatum(currency->withdrawn);
		tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
	}
	return (Datum) 0;
}
