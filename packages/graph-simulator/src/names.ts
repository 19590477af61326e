// Word lists from which plausible people, meetings and places are combined.

export const GIVEN_NAMES = [
  ...[
    'Amara',
    'Benedikt',
    'Chiara',
    'Dmitri',
    'Elif',
    'Farid',
    'Greta',
    'Hiroshi',
    'Ines',
    'Jonas',
    'Kavya',
    'Lena',
  ],
  ...[
    'Mateo',
    'Nadia',
    'Oskar',
    'Priya',
    'Quentin',
    'Rosa',
    'Samir',
    'Tuva',
    'Umar',
    'Vera',
    'Wanjiru',
    'Yuki',
  ],
];

export const SURNAMES = [
  ...[
    'Abiodun',
    'Bergström',
    'Castelli',
    'Dvořák',
    'Eriksen',
    'Fontaine',
    'García',
    'Haddad',
    'Ivanova',
    'Jansen',
  ],
  ...['Kobayashi', 'Lindqvist', 'Moreau', 'Nowak', 'Okafor', 'Petrov', 'Rao', 'Schneider', 'Tanaka', 'Weber'],
];

export const TOPICS = [
  ...[
    'Budget',
    'Hiring',
    'Roadmap',
    'Pricing',
    'Security',
    'Onboarding',
    'Release',
    'Contract',
    'Customer',
    'Design',
  ],
  ...[
    'Forecast',
    'Incident',
    'Migration',
    'Quarterly',
    'Research',
    'Support',
    'Training',
    'Vendor',
    'Workplace',
  ],
];

export const OCCASIONS = [
  ...[
    'review',
    'planning',
    'sync',
    'workshop',
    'check-in',
    'retrospective',
    'kick-off',
    'walkthrough',
    'interview',
  ],
  ...['briefing', 'hand-over', 'stand-up', 'demo', 'questions'],
];

export const RITUALS = [
  ...[
    'Lunch',
    'Coffee',
    'One to one',
    'Dentist',
    'Focus time',
    'School run',
    'Team breakfast',
    'Office hours',
  ],
  ...['Town hall', 'Flight to Oslo', 'Gym', 'Handover week'],
];

export const PLACES = [
  ...[
    'Room Aurora',
    'Room Fjord',
    'Room Maple',
    'Library',
    'Canteen',
    'Building 4, floor 2',
    'Online',
    'Lab 3',
  ],
  ...['Terrace', 'Client site', 'Reception'],
];

export const JOB_TITLES = [
  'Engineer',
  'Accountant',
  'Designer',
  'Product manager',
  'Recruiter',
  'Analyst',
  'Counsel',
];
