BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0005');
CREATE TABLE calls (
	call_id TEXT NOT NULL, 
	node TEXT NOT NULL, 
	uniqueid TEXT NOT NULL, 
	channel TEXT NOT NULL, 
	profile TEXT NOT NULL, 
	mode TEXT NOT NULL, 
	ladder TEXT NOT NULL, 
	ear TEXT NOT NULL, 
	language TEXT NOT NULL, 
	caller_number TEXT NOT NULL, 
	caller_name TEXT NOT NULL, 
	dialled TEXT NOT NULL, 
	arrived_ms BIGINT NOT NULL, 
	ended_ms BIGINT, 
	result TEXT, 
	would TEXT, 
	rung INTEGER NOT NULL, 
	heard_at_ms BIGINT, 
	heard_after_would BOOLEAN NOT NULL, 
	partial BOOLEAN NOT NULL, 
	interrupted BOOLEAN NOT NULL, heard TEXT, level_dbov FLOAT, gain_db FLOAT DEFAULT '0' NOT NULL, 
	PRIMARY KEY (call_id, node)
);
INSERT INTO "calls" VALUES('1769864799.9','main','1769864799.9','PJSIP/trunk-0000000c','support','act','silent','talk_detect','en','+1-555-0100','Alice','1001',1769864703120,NULL,NULL,NULL,1,NULL,0,0,0,NULL,NULL,0.0);
INSERT INTO "calls" VALUES('1769825350.0-1','main','1769825350.0','PJSIP/carrier-00000000','support','act','silent','talk_detect','zh','+1-555-0112','','1000',1769825350932,1769825358118,'key',NULL,1,1769825357818,0,0,0,NULL,NULL,0.0);
INSERT INTO "calls" VALUES('1769828279.1-1','main','1769828279.1','PJSIP/carrier-00000001','support','act','silent','talk_detect','zh','+1-555-0154','','1000',1769828279254,1769828287228,'spoke',NULL,1,1769828286928,0,0,0,NULL,NULL,0.0);
INSERT INTO "calls" VALUES('1769832591.2-1','main','1769832591.2','PJSIP/carrier-00000002','support','act','silent','talk_detect','zh','+1-555-0112','','1000',1769832591540,1769832597196,'unavailable',NULL,1,NULL,0,1,0,NULL,NULL,0.0);
INSERT INTO "calls" VALUES('1769833717.3-1','main','1769833717.3','PJSIP/carrier-00000003','support','act','silent','talk_detect','zh','+1-555-0163','','1000',1769833717535,1769833718900,'spoke',NULL,1,1769833718600,0,0,0,NULL,NULL,0.0);
INSERT INTO "calls" VALUES('1769837991.4-1','main','1769837991.4','PJSIP/carrier-00000004','support','act','silent','talk_detect','zh','+1-555-0111','','1000',1769837991051,1769837994533,'spoke',NULL,1,1769837994233,0,0,0,NULL,NULL,0.0);
INSERT INTO "calls" VALUES('1769841700.5-1','main','1769841700.5','PJSIP/carrier-00000005','support','act','silent','talk_detect','zh','+1-555-0198','','1000',1769841700874,1769841720874,'silent',NULL,3,NULL,0,0,0,NULL,NULL,0.0);
INSERT INTO "calls" VALUES('1769842639.6-1','main','1769842639.6','PJSIP/carrier-00000006','support','act','silent','talk_detect','zh','+1-555-0170','','1000',1769842639874,1769842646462,'spoke',NULL,1,1769842646162,0,0,0,NULL,NULL,0.0);
INSERT INTO "calls" VALUES('1769845097.7-1','main','1769845097.7','PJSIP/carrier-00000007','support','act','silent','talk_detect','zh','+1-555-0154','','1000',1769845097589,1769845104364,'spoke',NULL,1,1769845104064,0,0,0,NULL,NULL,0.0);
INSERT INTO "calls" VALUES('1769864703.1','main','1769864703.1','PJSIP/trunk-0000000c','support','act','silent','talk_detect','en','+1-555-0100','Alice','1001',1769864703120,1769864705620,'spoke',NULL,1,1769864705340,0,0,0,NULL,NULL,0.0);
INSERT INTO "calls" VALUES('1769864798.8','main','1769864798.8','PJSIP/trunk-0000000c','support','act','silent','talk_detect','en','+1-555-0100','Alice','1001',1769864703120,1769864705620,'spoke',NULL,1,1769864705340,0,0,0,NULL,NULL,0.0);
CREATE TABLE deleted (
	what TEXT NOT NULL, 
	before_ms BIGINT NOT NULL, 
	PRIMARY KEY (what)
);
CREATE TABLE happenings (
	call_id TEXT NOT NULL, 
	node TEXT NOT NULL, 
	seq INTEGER NOT NULL, 
	at_ms BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	what TEXT NOT NULL, 
	why TEXT NOT NULL, 
	PRIMARY KEY (call_id, node, seq), 
	FOREIGN KEY(call_id, node) REFERENCES calls (call_id, node) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "happenings" VALUES('1769864703.1','main',1,1769864703120,'arrived','support','');
INSERT INTO "happenings" VALUES('1769864703.1','main',2,1769864703140,'said','greeting','rung 1 of 3 in en');
INSERT INTO "happenings" VALUES('1769864703.1','main',3,1769864703150,'said','greeting','rung 1 of 3 in en');
CREATE TABLE legs (
	leg_id TEXT NOT NULL, 
	node TEXT NOT NULL, 
	offer_id TEXT NOT NULL, 
	call_id TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	interface TEXT NOT NULL, 
	agent TEXT NOT NULL, 
	queue TEXT NOT NULL, 
	began_ms BIGINT NOT NULL, 
	ring_start_ms BIGINT, 
	ring_source TEXT, 
	pickup_ms BIGINT, 
	connect_ms BIGINT, 
	ended_ms BIGINT, 
	"end" TEXT, 
	ring_ms BIGINT, 
	rings INTEGER, 
	answer_class TEXT, 
	auto_answer BOOLEAN NOT NULL, 
	timing TEXT NOT NULL, 
	partial BOOLEAN NOT NULL, 
	marks TEXT NOT NULL, 
	open BOOLEAN NOT NULL, 
	PRIMARY KEY (leg_id, node)
);
INSERT INTO "legs" VALUES('1769825350.0.0','main','1769825350.0/0','1769825350.0',4,'PJSIP/201','201','support',1769825358118,1769825358118,'ringing',NULL,NULL,1769825378118,'no_answer',20000,4,'unanswered',0,'stamped',0,'',0);
INSERT INTO "legs" VALUES('1769825350.0.1','main','1769825350.0/1','1769825350.0',4,'PJSIP/202','202','support',1769825378118,1769825378118,'ringing',1769825387561,1769825387561,1769825387561,'answered',9443,2,'ideal',0,'stamped',0,'',0);
INSERT INTO "legs" VALUES('1769828279.1.2','main','1769828279.1/2','1769828279.1',4,'PJSIP/204','204','sales',1769828287228,1769828287228,'ringing',1769828305979,1769828305979,1769828305979,'answered',18751,4,'late',0,'stamped',0,'',0);
INSERT INTO "legs" VALUES('1769828279.1.3','main','1769828279.1/2','1769828279.1',4,'PJSIP/205','205','sales',1769828287228,1769828287228,'ringing',NULL,NULL,1769828305979,'elsewhere',18751,4,'excluded',0,'stamped',0,'',0);
INSERT INTO "legs" VALUES('1769832591.2.4','main','1769832591.2/3','1769832591.2',4,'PJSIP/203','203','support',1769832597196,1769832597196,'ringing',1769832602645,1769832602645,1769832602645,'answered',5449,1,'acceptable',0,'stamped',0,'',0);
INSERT INTO "legs" VALUES('1769833717.3.5','main','1769833717.3/4','1769833717.3',4,'PJSIP/201','201','support',1769833718900,1769833718900,'ringing',1769833719200,1769833719200,1769833719200,'answered',300,0,'early',0,'stamped',0,'',0);
INSERT INTO "legs" VALUES('1769837991.4.6','main','1769837991.4/5','1769837991.4',4,'PJSIP/202','202','support',1769837994533,1769837994533,'ringing',1769838003852,1769838003852,1769838003852,'answered',9319,2,'ideal',0,'stamped',0,'',0);
INSERT INTO "legs" VALUES('1769842639.6.7','main','1769842639.6/6','1769842639.6',4,'PJSIP/203','203','support',1769842646462,1769842646462,'ringing',1769842654710,1769842654710,1769842654710,'answered',8248,2,'ideal',0,'stamped',0,'',0);
INSERT INTO "legs" VALUES('1769845097.7.8','main','1769845097.7/7','1769845097.7',4,'PJSIP/201','201','support',1769845104364,1769845104364,'ringing',1769845108155,1769845108155,1769845108155,'answered',3791,1,'acceptable',0,'stamped',0,'',0);
CREATE TABLE offers (
	offer_id TEXT NOT NULL, 
	node TEXT NOT NULL, 
	call_id TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	target_type TEXT NOT NULL, 
	target TEXT NOT NULL, 
	agent TEXT NOT NULL, 
	began_ms BIGINT NOT NULL, 
	ring_start_ms BIGINT, 
	ring_source TEXT, 
	pickup_ms BIGINT, 
	connect_ms BIGINT, 
	ended_ms BIGINT, 
	legs INTEGER NOT NULL, 
	ring_ms BIGINT, 
	rings INTEGER, 
	answer_class TEXT, 
	picked_up BOOLEAN NOT NULL, 
	cadence TEXT NOT NULL, 
	timing TEXT NOT NULL, 
	partial BOOLEAN NOT NULL, 
	marks TEXT NOT NULL, 
	open BOOLEAN NOT NULL, 
	PRIMARY KEY (offer_id, node)
);
INSERT INTO "offers" VALUES('1769825350.0/0','main','1769825350.0',4,'queue','support','',1769825358118,1769825358118,'ringing',NULL,NULL,1769825378118,1,20000,4,'unanswered',0,'cn','stamped',0,'',0);
INSERT INTO "offers" VALUES('1769825350.0/1','main','1769825350.0',4,'queue','support','202',1769825378118,1769825378118,'ringing',1769825387561,1769825387561,1769825387561,1,9443,2,'ideal',0,'cn','stamped',0,'',0);
INSERT INTO "offers" VALUES('1769828279.1/2','main','1769828279.1',4,'queue','sales','204',1769828287228,1769828287228,'ringing',1769828305979,1769828305979,1769828305979,2,18751,4,'late',0,'cn','stamped',0,'',0);
INSERT INTO "offers" VALUES('1769832591.2/3','main','1769832591.2',4,'queue','support','203',1769832597196,1769832597196,'ringing',1769832602645,1769832602645,1769832602645,1,5449,1,'acceptable',0,'cn','stamped',0,'',0);
INSERT INTO "offers" VALUES('1769833717.3/4','main','1769833717.3',4,'queue','support','201',1769833718900,1769833718900,'ringing',1769833719200,1769833719200,1769833719200,1,300,0,'early',0,'cn','stamped',0,'',0);
INSERT INTO "offers" VALUES('1769837991.4/5','main','1769837991.4',4,'queue','support','202',1769837994533,1769837994533,'ringing',1769838003852,1769838003852,1769838003852,1,9319,2,'ideal',0,'cn','stamped',0,'',0);
INSERT INTO "offers" VALUES('1769842639.6/6','main','1769842639.6',4,'queue','support','203',1769842646462,1769842646462,'ringing',1769842654710,1769842654710,1769842654710,1,8248,2,'ideal',0,'cn','stamped',0,'',0);
INSERT INTO "offers" VALUES('1769845097.7/7','main','1769845097.7',4,'queue','support','201',1769845104364,1769845104364,'ringing',1769845108155,1769845108155,1769845108155,1,3791,1,'acceptable',0,'cn','stamped',0,'',0);
CREATE TABLE outbox (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	node TEXT NOT NULL, 
	event_id TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	topic TEXT NOT NULL, 
	body TEXT NOT NULL, 
	saved_ms BIGINT NOT NULL
);
INSERT INTO "outbox" VALUES(1,'main','ffffffffffffffffffffffffffffffff',1,'callflow/v1/main/event/call/screened','{"event_id":"ffffffffffffffffffffffffffffffff"}',1769864798000);
CREATE TABLE spells (
	agent TEXT NOT NULL, 
	began_ms BIGINT NOT NULL, 
	node TEXT NOT NULL, 
	ended_ms BIGINT, 
	work TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	partial BOOLEAN NOT NULL, 
	open BOOLEAN NOT NULL, 
	PRIMARY KEY (agent, began_ms, node)
)
 WITHOUT ROWID

;
INSERT INTO "spells" VALUES('201',1769817600000,'main',1769825358118,'available','',0,0);
INSERT INTO "spells" VALUES('201',1769825358118,'main',1769825378118,'ringing','',0,0);
INSERT INTO "spells" VALUES('201',1769825378118,'main',1769833718900,'available','',0,0);
INSERT INTO "spells" VALUES('201',1769833718900,'main',1769833719200,'ringing','',0,0);
INSERT INTO "spells" VALUES('201',1769833719200,'main',1769833765927,'talking','',0,0);
INSERT INTO "spells" VALUES('201',1769833765927,'main',1769845104364,'available','',0,0);
INSERT INTO "spells" VALUES('201',1769845104364,'main',1769845108155,'ringing','',0,0);
INSERT INTO "spells" VALUES('201',1769845108155,'main',1769845274794,'talking','',0,0);
INSERT INTO "spells" VALUES('201',1769845274794,'main',1769860800000,'available','',0,0);
INSERT INTO "spells" VALUES('202',1769817600000,'main',1769825378118,'available','',0,0);
INSERT INTO "spells" VALUES('202',1769825378118,'main',1769825387561,'ringing','',0,0);
INSERT INTO "spells" VALUES('202',1769825387561,'main',1769825689778,'talking','',0,0);
INSERT INTO "spells" VALUES('202',1769825689778,'main',1769837994533,'available','',0,0);
INSERT INTO "spells" VALUES('202',1769837994533,'main',1769838003852,'ringing','',0,0);
INSERT INTO "spells" VALUES('202',1769838003852,'main',1769838135302,'talking','',0,0);
INSERT INTO "spells" VALUES('202',1769838135302,'main',1769860800000,'available','',0,0);
INSERT INTO "spells" VALUES('203',1769817600000,'main',1769832597196,'available','',0,0);
INSERT INTO "spells" VALUES('203',1769832597196,'main',1769832602645,'ringing','',0,0);
INSERT INTO "spells" VALUES('203',1769832602645,'main',1769833022965,'talking','',0,0);
INSERT INTO "spells" VALUES('203',1769833022965,'main',1769842646462,'available','',0,0);
INSERT INTO "spells" VALUES('203',1769842646462,'main',1769842654710,'ringing','',0,0);
INSERT INTO "spells" VALUES('203',1769842654710,'main',1769843203481,'talking','',0,0);
INSERT INTO "spells" VALUES('203',1769843203481,'main',1769860800000,'available','',0,0);
INSERT INTO "spells" VALUES('204',1769817600000,'main',1769828287228,'available','',0,0);
INSERT INTO "spells" VALUES('204',1769828287228,'main',1769828305979,'ringing','',0,0);
INSERT INTO "spells" VALUES('204',1769828305979,'main',1769828624153,'talking','',0,0);
INSERT INTO "spells" VALUES('204',1769828624153,'main',1769860800000,'available','',0,0);
INSERT INTO "spells" VALUES('205',1769817600000,'main',1769828287228,'available','',0,0);
INSERT INTO "spells" VALUES('205',1769828287228,'main',1769828305979,'ringing','',0,0);
INSERT INTO "spells" VALUES('205',1769828305979,'main',1769860800000,'available','',0,0);
CREATE TABLE stays (
	entry_id TEXT NOT NULL, 
	node TEXT NOT NULL, 
	call_id TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	queue TEXT NOT NULL, 
	caller_number TEXT NOT NULL, 
	caller_name TEXT NOT NULL, 
	dialled TEXT NOT NULL, 
	trunk TEXT NOT NULL, 
	joined_ms BIGINT NOT NULL, 
	left_ms BIGINT, 
	outcome TEXT, 
	wait_ms BIGINT, 
	offers INTEGER NOT NULL, 
	agent TEXT NOT NULL, 
	connect_ms BIGINT, 
	talk_end_ms BIGINT, 
	talk_ms BIGINT, 
	timing TEXT NOT NULL, 
	partial BOOLEAN NOT NULL, 
	marks TEXT NOT NULL, 
	open BOOLEAN NOT NULL, 
	PRIMARY KEY (entry_id, node)
);
INSERT INTO "stays" VALUES('1769825350.0/support','main','1769825350.0',4,'support','+1-555-0112','','1000','PJSIP/carrier',1769825358118,1769825387561,'answered',29443,2,'202',1769825387561,1769825689778,302217,'stamped',0,'',0);
INSERT INTO "stays" VALUES('1769828279.1/sales','main','1769828279.1',4,'sales','+1-555-0154','','1000','PJSIP/carrier',1769828287228,1769828305979,'answered',18751,1,'204',1769828305979,1769828624153,318174,'stamped',0,'',0);
INSERT INTO "stays" VALUES('1769832591.2/support','main','1769832591.2',4,'support','+1-555-0112','','1000','PJSIP/carrier',1769832597196,1769832602645,'answered',5449,1,'203',1769832602645,1769833022965,420320,'stamped',0,'',0);
INSERT INTO "stays" VALUES('1769833717.3/support','main','1769833717.3',4,'support','+1-555-0163','','1000','PJSIP/carrier',1769833718900,1769833719200,'answered',300,1,'201',1769833719200,1769833765927,46727,'stamped',0,'',0);
INSERT INTO "stays" VALUES('1769837991.4/support','main','1769837991.4',4,'support','+1-555-0111','','1000','PJSIP/carrier',1769837994533,1769838003852,'answered',9319,1,'202',1769838003852,1769838135302,131450,'stamped',0,'',0);
INSERT INTO "stays" VALUES('1769842639.6/support','main','1769842639.6',4,'support','+1-555-0170','','1000','PJSIP/carrier',1769842646462,1769842654710,'answered',8248,1,'203',1769842654710,1769843203481,548771,'stamped',0,'',0);
INSERT INTO "stays" VALUES('1769845097.7/support','main','1769845097.7',4,'support','+1-555-0154','','1000','PJSIP/carrier',1769845104364,1769845108155,'answered',3791,1,'201',1769845108155,1769845274794,166639,'stamped',0,'',0);
CREATE INDEX ix_calls_result ON calls (result, arrived_ms);
CREATE INDEX ix_calls_caller ON calls (caller_number, arrived_ms);
CREATE INDEX ix_calls_arrived ON calls (arrived_ms, result, mode, would, heard_after_would, interrupted);
CREATE INDEX ix_calls_open ON calls (node) WHERE ended_ms IS NULL;
CREATE INDEX ix_stays_joined ON stays (joined_ms);
CREATE INDEX ix_stays_open ON stays (node) WHERE open;
CREATE INDEX ix_offers_began ON offers (began_ms);
CREATE INDEX ix_offers_open ON offers (node) WHERE open;
CREATE INDEX ix_legs_began ON legs (began_ms);
CREATE INDEX ix_legs_open ON legs (node) WHERE open;
CREATE INDEX ix_spells_open ON spells (node) WHERE open;
CREATE UNIQUE INDEX ix_outbox_event ON outbox (node, event_id, revision);
CREATE INDEX ix_outbox_saved ON outbox (node, saved_ms);
CREATE INDEX ix_spells_agent ON spells (agent, node, began_ms);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('outbox',1);
COMMIT;
